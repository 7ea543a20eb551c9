export type {
  DriverChangeStream,
  DriverClient,
  DriverCollection,
  DriverCursor,
  DriverDatabase,
  DriverSession,
  MongoClientLike,
  MongoDocument,
} from './client.js';
export { connectFirst } from './connect-first.js';
export { closeClient, loadObjectId, type ObjectIdClass, openClient } from './driver.js';
