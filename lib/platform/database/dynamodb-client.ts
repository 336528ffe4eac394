import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { undiciRequestHandler } from '../undici-request-handler.ts';
import { createPlainReads, type PlainReads } from './plain-reads.ts';

export interface DynamoDbEndpoint {
  /** Another engine than AWS's: DynamoDB Local, the embedded one. */
  endpoint?: string;
  region?: string;
  maxAttempts?: number;
  /**
   * Transactions go without a token. The embedded engine looks through the tokens of the last ten minutes at each transaction, which
   * makes it ever slower in that time.
   */
  withoutTokens?: boolean;
}

const CONNECTION = { connections: 256, connectTimeoutMs: 1_000, responseTimeoutMs: 3_000 };

/** A client of the low-level API. Without an endpoint the SDK finds it, and the credentials, by itself. */
export function dynamoDbClient({ endpoint, region, maxAttempts = 4, withoutTokens = false }: DynamoDbEndpoint): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, ...nobody(region) }),
    maxAttempts,
    requestHandler: undiciRequestHandler(CONNECTION) as never,
  });
  // It prepares a log entry of every call, also where no log is kept.
  client.middlewareStack.remove('loggerMiddleware');
  if (withoutTokens) dropTokens(client);
  return client;
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

/** Reads without the SDK, from an engine other than AWS's; undefined for AWS's own, where each call must be signed. */
export const plainReads = ({ endpoint, region }: DynamoDbEndpoint): PlainReads | undefined =>
  endpoint === undefined ? undefined : createPlainReads({ ...CONNECTION, endpoint, headers: unsigned(region) });

/**
 * Engines other than AWS's look for a signature and never check it: no credentials are looked for, and what would be a fifth of a
 * call's CPU is not spent on signing.
 */
const unsigned = (region = 'us-east-1') => ({
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
