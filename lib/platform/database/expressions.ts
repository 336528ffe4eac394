import { type Condition, type Filter, keyOf, type QueryOptions, type Write } from './database.ts';

/** Builds DynamoDB expressions with placeholders for every name and value, so that no text of a caller's ever is syntax. */
function placeholders() {
  const names = new Map<string, string>();
  const values: Record<string, unknown> = {};
  let count = 0;
  return {
    name(name: string): string {
      const key = names.get(name) ?? `#n${names.size}`;
      names.set(name, key);
      return key;
    },
    value(value: unknown): string {
      const key = `:v${count++}`;
      values[key] = value;
      return key;
    },
    attributes: () => ({
      ...(names.size > 0 && { ExpressionAttributeNames: Object.fromEntries([...names].map(([name, key]) => [key, name])) }),
      ...(count > 0 && { ExpressionAttributeValues: values }),
    }),
  };
}
type Placeholders = ReturnType<typeof placeholders>;

function conditionText(condition: Condition, at: Placeholders): string {
  const parts: string[] = [];
  if (condition.exists !== undefined) parts.push(`${condition.exists ? 'attribute_exists' : 'attribute_not_exists'}(${at.name('pk')})`);
  for (const [name, value] of Object.entries(condition.equals ?? {})) parts.push(`${at.name(name)} = ${at.value(value)}`);
  for (const [name, value] of Object.entries(condition.below ?? {})) {
    parts.push(`(attribute_not_exists(${at.name(name)}) OR ${at.name(name)} < ${at.value(value)})`);
  }
  return parts.join(' AND ');
}

function filterText({ equals = {}, beginsWith = {} }: Filter, at: Placeholders): string {
  return [
    ...Object.entries(equals).map(([name, value]) => `${at.name(name)} = ${at.value(value)}`),
    ...Object.entries(beginsWith).map(([name, value]) => `begins_with(${at.name(name)}, ${at.value(value)})`),
  ].join(' AND ');
}

function updateText(write: Extract<Write, { update: unknown }>, at: Placeholders): string {
  const list = (entries: [string, unknown][], join: (name: string, value: string) => string) =>
    entries.map(([name, value]) => join(at.name(name), at.value(value))).join(', ');
  const set = Object.entries(write.set ?? {}).filter(([, value]) => value !== undefined);
  const copy = Object.entries(write.copy ?? {}).map(([to, from]) => `${at.name(to)} = if_not_exists(${at.name(from)}, ${at.value('')})`);
  const add = Object.entries(write.add ?? {});
  const remove = (write.remove ?? []).map((name) => at.name(name));
  return [
    set.length + copy.length > 0
      ? `SET ${[...set.map(([name, value]) => `${at.name(name)} = ${at.value(value)}`), ...copy].join(', ')}`
      : '',
    add.length > 0 ? `ADD ${list(add, (name, value) => `${name} ${value}`)}` : '',
    remove.length > 0 ? `REMOVE ${remove.join(', ')}` : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** The parameters that a write has in common whether it goes alone or in a transaction. */
export function writeInput(write: Write, tableName: (table: string) => string) {
  const at = placeholders();
  const condition = write.if && conditionText(write.if, at);
  const expression = 'update' in write ? { UpdateExpression: updateText(write, at) } : {};
  return {
    TableName: tableName(write.table),
    ...('put' in write ? { Item: write.put } : { Key: keyOf(write) }),
    ...expression,
    ...(condition && { ConditionExpression: condition }),
    ...at.attributes(),
  };
}

export function queryInput(table: string, { pk, prefix, between, filter, after, descending, limit, fields }: QueryOptions) {
  // DynamoDB refuses this, the embedded engine answers it: docs/decisions/0005-engine-differences.md.
  if (prefix && after !== undefined && !after.startsWith(prefix)) throw new Error(`${after} is not in the range ${prefix}`);
  const at = placeholders();
  const keys = [`${at.name('pk')} = ${at.value(pk)}`];
  if (prefix) keys.push(`begins_with(${at.name('sk')}, ${at.value(prefix)})`);
  if (between) keys.push(`${at.name('sk')} BETWEEN ${at.value(between.from)} AND ${at.value(between.to)}`);
  const wanted = filter && filterText(filter, at);
  const projection = fields && [...new Set(['pk', 'sk', ...fields])].map((name) => at.name(name)).join(', ');
  return {
    TableName: table,
    KeyConditionExpression: keys.join(' AND '),
    ...(wanted && { FilterExpression: wanted }),
    ...(projection && { ProjectionExpression: projection }),
    ...at.attributes(),
    ConsistentRead: true,
    ScanIndexForward: !descending,
    ...(limit !== undefined && { Limit: limit }),
    ...(after !== undefined && { ExclusiveStartKey: { pk, sk: after } }),
  };
}
