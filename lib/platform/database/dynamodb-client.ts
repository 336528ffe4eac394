import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { undiciRequestHandler } from '../undici-request-handler.ts';

export interface DynamoDbEndpoint {
  /** Another engine than AWS's: DynamoDB Local, the embedded one. */
  endpoint?: string;
  region?: string;
  maxAttempts?: number;
}

/** A client of the low-level API. Without an endpoint the SDK finds it, and the credentials, by itself. */
export function dynamoDbClient({ endpoint, region, maxAttempts = 4 }: DynamoDbEndpoint): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, ...nobody(region ?? 'us-east-1') }),
    maxAttempts,
    requestHandler: undiciRequestHandler({ connections: 256, connectTimeoutMs: 1_000, responseTimeoutMs: 3_000 }) as never,
  });
  // It prepares a log entry of every call, also where no log is kept.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}

/**
 * Engines other than AWS's look for a signature and never check it: no credentials are looked for, and what would be a fifth of a
 * call's CPU is not spent on signing.
 */
function nobody(region: string) {
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=unsigned`,
    'x-amz-date': '20260101T000000Z',
  };
  return {
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: {
      sign: async <T extends { headers: Record<string, string> }>(request: T): Promise<T> =>
        Object.assign(request, { headers: { ...request.headers, ...headers } }),
    },
  };
}
