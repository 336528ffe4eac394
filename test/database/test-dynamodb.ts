import { startEmbeddedDynamoDb } from '../../infra/host/engines/embedded-dynamodb.ts';

export interface TestEngine {
  endpoint: string;
  stop(): Promise<void>;
}

/** Returns the engine that DYNAMODB_ENDPOINT names, or else starts the embedded one in memory, for this test file alone. */
export async function startTestDynamoDb(): Promise<TestEngine> {
  const endpoint = process.env.DYNAMODB_ENDPOINT;
  return endpoint ? { endpoint, stop: async () => {} } : startEmbeddedDynamoDb();
}
