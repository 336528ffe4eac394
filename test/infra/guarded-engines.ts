import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import * as z from 'zod';

/** The embedded engines with access control as in AWS: each function has an address of its own and the rights of its role. */
export interface GuardedEngines {
  /** The addresses of the store and the queues for a function. */
  addressesOf(name: string): { DYNAMODB_ENDPOINT: string; SQS_ENDPOINT: string; KMS_ENDPOINT: string; BROKKR_KMS_KEY_ID: string };
  /** The refused calls, as `<function> dynamodb:PutItem FleetTable`. */
  refused: Set<string>;
  /** Rights that no call has needed so far. GetItem and BatchGetItem count as one: coalescing decides which of them is called. */
  unused(): string[];
  close(): void;
}

const GetAtt = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const Statement = z.object({ Action: z.array(z.string()), Resource: z.union([GetAtt, z.object({ 'Fn::Sub': z.string() })]) });
const Roles = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Properties: z.object({ Policies: z.tuple([z.object({ PolicyDocument: z.object({ Statement: z.array(Statement) }) })]) }) }),
  ),
});

/** The rights of each function, such as `dynamodb:PutItem FleetTable`. */
function rightsOf(names: readonly string[], logicalName: (name: string) => string): Map<string, string[]> {
  const { Resources } = Roles.parse(createRequire(import.meta.url)('../../infra/resources/roles.cjs'));
  return new Map(
    names.map((name) => {
      const statements = Resources[`${logicalName(name)}Role`]?.Properties.Policies[0].PolicyDocument.Statement ?? [];
      return [
        name,
        statements.flatMap(({ Action, Resource }) =>
          'Fn::GetAtt' in Resource ? Action.map((action) => `${action} ${Resource['Fn::GetAtt'][0]}`) : [],
        ),
      ];
    }),
  );
}

const TransactItem = z.record(z.string(), z.looseObject({ TableName: z.string() }));
const Input = z.looseObject({
  TableName: z.string().optional(),
  RequestItems: z.record(z.string(), z.unknown()).optional(),
  TransactItems: z.array(TransactItem).optional(),
  QueueName: z.string().optional(),
  QueueUrl: z.string().optional(),
});
const TRANSACTED: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

/** The rights that AWS requires for a call. */
function needsOf(service: string, operation: string, input: z.infer<typeof Input>, logicalOf: (physicalName: string) => string): string[] {
  const table = (name: string) => `${logicalOf(name)}Table`;
  if (service === 'sqs') {
    const queue = input.QueueName ?? input.QueueUrl?.split('/').at(-1) ?? '';
    const dead = queue.endsWith('-dead');
    return [`sqs:${operation.replace(/Batch$/, '')} ${logicalOf(dead ? queue.slice(0, -5) : queue)}${dead ? 'Dead' : ''}Queue`];
  }
  if (service === 'kms') return [`kms:${operation} SealingKey`];
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems') {
    return (input.TransactItems ?? []).flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => `dynamodb:${TRANSACTED[kind]} ${table(TableName)}`),
    );
  }
  const tables = input.RequestItems ? Object.keys(input.RequestItems) : [input.TableName ?? ''];
  return tables.map((name) => `dynamodb:${operation} ${table(name)}`);
}

/** KMS's answer to both GenerateDataKey and Decrypt. One key is enough where only the rights matter. */
const KMS_ANSWER = {
  KeyId: 'key',
  Plaintext: Buffer.alloc(32, 7).toString('base64'),
  CiphertextBlob: Buffer.from('key').toString('base64'),
};

export interface Guard {
  engines: { dynamodb: string; sqs: string };
  functions: readonly string[];
  /** Turns the name of a function, table or queue in the code into its logical name. */
  logicalName: (name: string) => string;
  /** The first part of every name in the account. */
  prefix: string;
}

export async function guardEngines({ engines, functions, logicalName, prefix }: Guard): Promise<GuardedEngines> {
  const rights = rightsOf(functions, logicalName);
  const logicalOf = (physicalName: string) => logicalName(physicalName.slice(prefix.length + 1));
  const used = new Map(functions.map((name) => [name, new Set<string>()]));
  const refused = new Set<string>();
  const server = createServer(async (request, response) => {
    const [, service = '', name = ''] = (request.url ?? '').split('/');
    const body = await bytesOf(request);
    const target = String(request.headers['x-amz-target']);
    const needs = needsOf(service, target.split('.').at(-1) ?? '', Input.parse(JSON.parse(body.toString())), logicalOf);
    const missing = needs.filter((need) => !rights.get(name)?.includes(need));
    for (const need of missing) refused.add(`${name} ${need}`);
    for (const need of needs) used.get(name)?.add(need);
    if (missing.length > 0) {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: 'com.amazonaws#AccessDeniedException', message: `no right to ${missing.join(', ')}` }));
      return;
    }
    if (service === 'kms') {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(KMS_ANSWER));
      return;
    }
    const { host: _host, connection: _connection, 'content-length': _length, expect: _expect, ...headers } = request.headers;
    const sent = Object.entries(headers).map(([header, value]): [string, string] => [header, String(value)]);
    const answer = await fetch(service === 'sqs' ? engines.sqs : engines.dynamodb, {
      method: 'POST',
      headers: sent,
      body: new Uint8Array(body),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    addressesOf: (name) => ({
      DYNAMODB_ENDPOINT: `${url}/dynamodb/${name}`,
      SQS_ENDPOINT: `${url}/sqs/${name}`,
      KMS_ENDPOINT: `${url}/kms/${name}`,
      BROKKR_KMS_KEY_ID: 'alias/test',
    }),
    refused,
    unused: () =>
      functions.flatMap((name) => {
        const seen = new Set([...(used.get(name) ?? [])].map(oneRead));
        // Lambda itself receives from the queue, with the function's role.
        const granted = (rights.get(name) ?? []).filter((right) => !/sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)/.test(right));
        return granted.filter((right) => !seen.has(oneRead(right))).map((right) => `${name} ${right}`);
      }),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const oneRead = (right: string) => right.replace('BatchGetItem', 'GetItem');

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
