import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { unsignedAccess } from '../unsigned-access.ts';

export type StoreTransport = NonNullable<DynamoDBClientConfig['requestHandler']>;

export interface DynamoDbEndpoint {
  /** The address of an engine other than AWS's, such as DynamoDB Local or the embedded one. */
  endpoint?: string;
  region?: string;
  maxAttempts?: number;
  /** Sends the calls; `nodeTransport` if absent. */
  transport?: StoreTransport;
  /**
   * Sends transactions without a token. The embedded engine searches the tokens of the last ten minutes at each transaction, so that
   * tokens make it slower and slower.
   */
  withoutTokens?: boolean;
}

export interface StoreTimeouts {
  connectMs: number;
  responseMs: number;
}
/** A store that doesn't answer for this long counts as unavailable. */
export const STORE_TIMEOUTS: StoreTimeouts = { connectMs: 1_000, responseMs: 3_000 };

/** The SDK's own transport over node:http. */
export const nodeTransport = ({ connectMs, responseMs }: StoreTimeouts): StoreTransport => ({
  connectionTimeout: connectMs,
  requestTimeout: responseMs,
  throwOnRequestTimeout: true,
});

/** A client of the low-level API. Without an endpoint the SDK finds AWS's own, and the credentials. */
export function dynamoDbClient({
  endpoint,
  region,
  maxAttempts = 4,
  transport = nodeTransport(STORE_TIMEOUTS),
  withoutTokens = false,
}: DynamoDbEndpoint): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, ...unsignedAccess('dynamodb', region) }),
    maxAttempts,
    requestHandler: transport,
  });
  // The middleware prepares a log entry of every call, even if no log is kept.
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

/** The SDK recognizes errors by name. It retries a lost or silent connection only if the error is called TimeoutError. */
export function withCode(error: unknown): unknown {
  const { message, code, name }: { message?: unknown; code?: unknown; name?: unknown } = Object(error);
  if (typeof code !== 'string' || name === 'AbortError') return error;
  return Object.assign(new Error(String(message), { cause: error }), { name: 'TimeoutError', code });
}

/** The SDK adds a token to a transaction that has none. An attribute of the same name can't match: its value would be a JSON object. */
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
    // This must run before the SDK sets the content length.
    { step: 'build', priority: 'high' },
  );
}
