import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';

export type StoreTransport = NonNullable<DynamoDBClientConfig['requestHandler']>;

export interface DynamoDbEndpoint {
  /** Another engine than AWS's: DynamoDB Local, the embedded one. */
  endpoint?: string;
  region?: string;
  maxAttempts?: number;
  /** Carries the calls; the SDK's own, over node:http, if absent. */
  transport?: StoreTransport;
  /**
   * Transactions go without a token. The embedded engine looks through the tokens of the last ten minutes at each transaction, which
   * makes it ever slower in that time.
   */
  withoutTokens?: boolean;
}

/** A store that says nothing for so long is taken for one that is away. */
export const STORE_TIMEOUTS = { connectMs: 1_000, responseMs: 3_000 };
const ownTransport: StoreTransport = {
  connectionTimeout: STORE_TIMEOUTS.connectMs,
  requestTimeout: STORE_TIMEOUTS.responseMs,
  throwOnRequestTimeout: true,
};

/** A client of the low-level API. Without an endpoint the SDK finds it, and the credentials, by itself. */
export function dynamoDbClient({
  endpoint,
  region,
  maxAttempts = 4,
  transport = ownTransport,
  withoutTokens = false,
}: DynamoDbEndpoint): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, ...nobody(region) }),
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
  if (withoutTokens) dropTokens(client);
  return client;
}

/** The SDK goes by names: a lost or silent connection must be called TimeoutError there, and keep its code. */
export function withCode(error: unknown): unknown {
  const { message, code, name }: { message?: unknown; code?: unknown; name?: unknown } = Object(error);
  if (typeof code !== 'string' || name === 'AbortError') return error;
  return Object.assign(new Error(String(message), { cause: error }), { name: 'TimeoutError', code });
}

/** The SDK adds a token of its own to a transaction that has none. Values are objects here, so that no attribute of this name is meant. */
const TOKEN = /"ClientRequestToken":"[^"]*",|,"ClientRequestToken":"[^"]*"/;
const Transaction = z.object({
  headers: z.object({ 'x-amz-target': z.string().endsWith('.TransactWriteItems') }),
  body: z.instanceof(Uint8Array),
});

function dropTokens(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const sent = Transaction.safeParse(args.request).data;
      if (sent) Object.assign(Object(args.request), { body: new TextDecoder().decode(sent.body).replace(TOKEN, '') });
      return next(args);
    },
    // Before the length of the body is told.
    { step: 'build', priority: 'high' },
  );
}

/**
 * Engines other than AWS's look for a signature and never check it: no credentials are looked for, and what would be a fifth of a
 * call's CPU is not spent on signing.
 */
export const unsigned = (region = 'us-east-1') => ({
  authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=unsigned`,
  'x-amz-date': '20260101T000000Z',
});

function nobody(region = 'us-east-1') {
  const headers = unsigned(region);
  return {
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: {
      sign: async <T extends { headers: Record<string, string> }>(request: T): Promise<T> =>
        Object.assign(request, { headers: { ...request.headers, ...headers } }),
    },
  };
}
