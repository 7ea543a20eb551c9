/** A document as the driver gives it. */
export type MongoDocument = Record<string, unknown>;

/** A `MongoClient` of the package `mongodb`, of any copy of it. */
export interface MongoClientLike {
  connect(): Promise<unknown>;
  db(name: string): unknown;
  startSession(): unknown;
  close(): Promise<void>;
}

/** What we call of a client. */
export interface DriverClient extends MongoClientLike {
  db(name: string): DriverDatabase;
  startSession(): DriverSession;
}

/** What we call of a database. */
export interface DriverDatabase {
  collection(name: string): DriverCollection;
  command(command: MongoDocument, options?: object): Promise<MongoDocument>;
  dropDatabase(options?: object): Promise<boolean>;
}

/** What we call of a session. */
export interface DriverSession {
  startTransaction(options?: object): void;
  commitTransaction(): Promise<void>;
  abortTransaction(): Promise<void>;
  endSession(): Promise<void>;
}

/** What we call of a cursor. */
export interface DriverCursor extends AsyncIterable<MongoDocument> {
  next(): Promise<MongoDocument | null>;
  toArray(): Promise<MongoDocument[]>;
  readBufferedDocuments(): MongoDocument[];
  close(): Promise<void>;
}

/** What we call of a change stream. */
export interface DriverChangeStream {
  next(): Promise<MongoDocument>;
  tryNext(): Promise<MongoDocument | null>;
  close(): Promise<void>;
}

/** What we call of a collection. */
export interface DriverCollection {
  find(filter: object, options: object): DriverCursor;
  findOne(filter: object, options: object): Promise<MongoDocument | null>;
  countDocuments(filter: object, options: object): Promise<number>;
  distinct(field: string, filter: object, options: object): Promise<unknown[]>;
  insertOne(document: object, options: object): Promise<MongoDocument>;
  insertMany(documents: object[], options: object): Promise<MongoDocument>;
  updateOne(filter: object, update: object, options: object): Promise<MongoDocument>;
  updateMany(filter: object, update: object, options: object): Promise<MongoDocument>;
  replaceOne(filter: object, replacement: object, options: object): Promise<MongoDocument>;
  deleteOne(filter: object, options: object): Promise<MongoDocument>;
  deleteMany(filter: object, options: object): Promise<MongoDocument>;
  findOneAndUpdate(filter: object, update: object, options: object): Promise<MongoDocument | null>;
  findOneAndDelete(filter: object, options: object): Promise<MongoDocument | null>;
  bulkWrite(operations: object[], options: object): Promise<MongoDocument>;
  aggregate(pipeline: object[], options: object): DriverCursor;
  createIndex(keys: object, options: object): Promise<string>;
  watch(pipeline: object[], options: object): DriverChangeStream;
  drop(options: object): Promise<boolean>;
}
