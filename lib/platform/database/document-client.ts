import { connect, type DynamoDbOptions } from './connection.ts';
import type { Database } from './database.ts';
import { documentReads } from './document-reads.ts';
import { documentWrites } from './document-writes.ts';

/** The only way into DynamoDB. */
export function createDatabase(options: DynamoDbOptions = {}): Database & { close(): void } {
  const connection = connect(options);
  return { ...documentReads(connection), ...documentWrites(connection), close: connection.close };
}
