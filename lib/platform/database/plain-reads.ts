import { StringDecoder } from 'node:string_decoder';
import { type Dispatcher, Pool } from 'undici';
import { unsignedHeaders } from '../unsigned-access.ts';
import type { Item, Key } from './database.ts';
import { withCode } from './dynamodb-client.ts';

/**
 * GetItem without the SDK, for engines that check no signature. The SDK spends two thirds of a read's CPU on middleware, endpoint rules
 * and schemas, and an idle poll is one such read and little else.
 */
export interface PlainReads {
  /**
   * Returns undefined if only the SDK can read the answer. Fails as the SDK does: with the exception's name and the status, or with a
   * TimeoutError if there was no answer.
   */
  getItem(tableName: string, key: Key, options: { withCapacity: boolean }): Promise<PlainItem | undefined>;
  close(): void;
}

export interface PlainItem {
  item: Item | undefined;
  capacityUnits: number;
}

/** The most connections at a time. */
const CONNECTIONS = 256;

export interface PlainReadsOptions {
  endpoint: string;
  region?: string | undefined;
  connectMs: number;
  responseMs: number;
}

export function createPlainReads({ endpoint, region, connectMs, responseMs }: PlainReadsOptions): PlainReads {
  const url = new URL(endpoint);
  const timeouts = { connect: { timeout: connectMs }, headersTimeout: responseMs, bodyTimeout: responseMs };
  const pool = new Pool(url.origin, { connections: CONNECTIONS, ...timeouts });
  const request = {
    method: 'POST' as const,
    path: url.pathname,
    headers: {
      ...unsignedHeaders('dynamodb', region),
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.GetItem',
    },
  };
  return {
    async getItem(TableName, { pk, sk }, { withCapacity }) {
      const body = JSON.stringify({
        TableName,
        Key: { pk: { S: pk }, sk: { S: sk } },
        ConsistentRead: true,
        ...(withCapacity && { ReturnConsumedCapacity: 'TOTAL' }),
      });
      const answer = await send(pool, { ...request, body });
      return itemOf(answer, { pk, sk });
    },
    close: () => void pool.destroy(),
  };
}

function send(pool: Pool, request: Dispatcher.DispatchOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const decoder = new StringDecoder('utf8');
    let status = 0;
    pool.dispatch(request, {
      onRequestStart() {},
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData(_controller, chunk) {
        text += decoder.write(chunk);
      },
      onResponseEnd: () => (status === 200 ? resolve(text) : reject(exceptionOf(status, text))),
      onResponseError: (_controller, error) => reject(withCode(error)),
    });
  });
}

/** `__type` is `<namespace>#<name>`. */
function exceptionOf(status: number, text: string): Error {
  const { __type, message, Message } = parsedOrEmpty(text);
  const name = String(__type ?? 'UnknownError')
    .split('#')
    .at(-1);
  return Object.assign(new Error(String(message ?? Message ?? `status ${status}`)), { name, $metadata: { httpStatusCode: status } });
}

function parsedOrEmpty(text: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Parsed by hand, since every poll passes here: a schema would cost more than all the rest of the read. */
function itemOf(text: string, key: Key): PlainItem | undefined {
  try {
    const { Item: attributes, ConsumedCapacity: capacity } = objectOf(JSON.parse(text));
    const capacityUnits = capacity === undefined ? 0 : Number(objectOf(capacity).CapacityUnits);
    return { item: attributes === undefined ? undefined : Object.assign(membersOf(attributes), key), capacityUnits };
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw new Error('not an object');
  return value;
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function membersOf(attributes: unknown): Record<string, unknown> {
  const from = objectOf(attributes);
  const members: Record<string, unknown> = {};
  for (const name in from) {
    // An assignment to this name would set the prototype.
    if (name === '__proto__') throw new Error('an attribute is called __proto__');
    members[name] = attributeValue(from[name]);
  }
  return members;
}

/** The value of an attribute. Throws for a kind that the product doesn't store. */
function attributeValue(attribute: unknown): unknown {
  const { S, N, BOOL, NULL, M, L, B } = objectOf(attribute);
  if (S !== undefined) return S;
  if (N !== undefined) return numberOf(N);
  if (BOOL !== undefined) return BOOL;
  if (NULL !== undefined) return null;
  if (M !== undefined) return membersOf(M);
  if (Array.isArray(L)) return L.map(attributeValue);
  if (typeof B === 'string') return new Uint8Array(Buffer.from(B, 'base64'));
  throw new Error('an attribute of another kind');
}

/** Refuses a number that JavaScript would round, as the SDK does. */
function numberOf(text: unknown): number {
  const value = Number(text);
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new Error(`${text} cannot be represented exactly`);
  return value;
}
