import type { ServiceRecipe } from '../resolver.js';
import { environmentMongo } from './environment-mongo.js';
import { downloadedMongo, systemMongo } from './launch-mongo.js';

/** How MongoDB is found, first way first. */
export const mongoRecipe: ServiceRecipe = {
  name: 'mongodb',
  ways: [environmentMongo, systemMongo(), downloadedMongo],
  remedy:
    'For MongoDB set MONGODB_URL, or run: npm install --save-dev mongodb-memory-server-core, which starts the mongod on PATH and downloads one where the network allows',
};
