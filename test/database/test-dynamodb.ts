import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';
import { nodeTransport, type StoreTimeouts } from '../../lib/platform/database/dynamodb-client.ts';

export interface TestEngine {
  endpoint: string;
  stop(): Promise<void>;
}

/** For tests whose store has no faults: on a busy machine even an engine in memory may be silent for seconds. */
export const PATIENT: StoreTimeouts = { connectMs: 10_000, responseMs: 20_000 };
export const patientTransport = nodeTransport(PATIENT);

/** Returns the engine that DYNAMODB_ENDPOINT names, or else starts the embedded one in memory, for this test file alone. */
export async function startTestDynamoDb(): Promise<TestEngine> {
  const endpoint = process.env.DYNAMODB_ENDPOINT;
  return endpoint ? { endpoint, stop: async () => {} } : startEmbeddedDynamoDb();
}
