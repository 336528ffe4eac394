import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

export type StoreTransport = NonNullable<DynamoDBClientConfig['requestHandler']>;

export interface DynamoDbEndpoint {
  /** Another engine than AWS's: DynamoDB Local, the embedded one. */
  endpoint?: string;
  region?: string;
  maxAttempts?: number;
  /** Carries the calls; the SDK's own, over node:http, if absent. */
  transport?: StoreTransport;
}

/** A store that says nothing for so long is taken for one that is away. */
export const STORE_TIMEOUTS = { connectMs: 1_000, responseMs: 3_000 };
const ownTransport: StoreTransport = {
  connectionTimeout: STORE_TIMEOUTS.connectMs,
  requestTimeout: STORE_TIMEOUTS.responseMs,
  throwOnRequestTimeout: true,
};

/** A client of the low-level API. Without an endpoint the SDK finds it, and the credentials, by itself. */
export function dynamoDbClient({ endpoint, region, maxAttempts = 4, transport = ownTransport }: DynamoDbEndpoint): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, ...nobody(region ?? 'us-east-1') }),
    maxAttempts,
    requestHandler: transport,
  });
  // It prepares a log entry of every call, also where no log is kept.
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error: unknown) => {
        throw withCode(error);
      }),
    { step: 'deserialize', name: 'keepErrorCodes', priority: 'low' },
  );
  return client;
}

/** The SDK goes by names: a lost or silent connection must be called TimeoutError there, and keep its code. */
function withCode(error: unknown): unknown {
  const { message, code, name }: { message?: unknown; code?: unknown; name?: unknown } = Object(error);
  if (typeof code !== 'string' || name === 'AbortError') return error;
  return Object.assign(new Error(String(message), { cause: error }), { name: 'TimeoutError', code });
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
