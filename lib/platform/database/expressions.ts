import { type Condition, type Filter, keyOf, type QueryOptions, type Write } from './database.ts';

/** Builds DynamoDB expressions with placeholders for every name and value, so that a caller's text never becomes syntax. */
function createPlaceholders() {
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
type Placeholders = ReturnType<typeof createPlaceholders>;

function conditionText(condition: Condition, placeholders: Placeholders): string {
  const parts: string[] = [];
  if (condition.exists !== undefined)
    parts.push(`${condition.exists ? 'attribute_exists' : 'attribute_not_exists'}(${placeholders.name('pk')})`);
  for (const [name, value] of Object.entries(condition.equals ?? {}))
    parts.push(`${placeholders.name(name)} = ${placeholders.value(value)}`);
  for (const [name, value] of Object.entries(condition.below ?? {})) {
    parts.push(`(attribute_not_exists(${placeholders.name(name)}) OR ${placeholders.name(name)} < ${placeholders.value(value)})`);
  }
  for (const [name, value] of Object.entries(condition.atLeast ?? {}))
    parts.push(`${placeholders.name(name)} >= ${placeholders.value(value)}`);
  return parts.join(' AND ');
}

function filterText({ equals = {}, beginsWith = {} }: Filter, placeholders: Placeholders): string {
  return [
    ...Object.entries(equals).map(([name, value]) => `${placeholders.name(name)} = ${placeholders.value(value)}`),
    ...Object.entries(beginsWith).map(([name, value]) => `begins_with(${placeholders.name(name)}, ${placeholders.value(value)})`),
  ].join(' AND ');
}

function updateText(write: Extract<Write, { update: unknown }>, placeholders: Placeholders): string {
  const list = (entries: [string, unknown][], join: (name: string, value: string) => string) =>
    entries.map(([name, value]) => join(placeholders.name(name), placeholders.value(value))).join(', ');
  const set = Object.entries(write.set ?? {}).filter(([, value]) => value !== undefined);
  const copy = Object.entries(write.copy ?? {}).map(
    ([to, from]) => `${placeholders.name(to)} = if_not_exists(${placeholders.name(from)}, ${placeholders.value('')})`,
  );
  const add = Object.entries(write.add ?? {});
  const remove = (write.remove ?? []).map((name) => placeholders.name(name));
  return [
    set.length + copy.length > 0
      ? `SET ${[...set.map(([name, value]) => `${placeholders.name(name)} = ${placeholders.value(value)}`), ...copy].join(', ')}`
      : '',
    add.length > 0 ? `ADD ${list(add, (name, value) => `${name} ${value}`)}` : '',
    remove.length > 0 ? `REMOVE ${remove.join(', ')}` : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** The parameters of a write, alone or in a transaction. */
export function writeInput(write: Write, tableName: (table: string) => string) {
  const placeholders = createPlaceholders();
  const condition = write.if && conditionText(write.if, placeholders);
  const expression = 'update' in write ? { UpdateExpression: updateText(write, placeholders) } : {};
  return {
    TableName: tableName(write.table),
    ...('put' in write ? { Item: write.put } : { Key: keyOf(write) }),
    ...expression,
    ...(condition && { ConditionExpression: condition }),
    ...placeholders.attributes(),
  };
}

export function queryInput(table: string, { pk, prefix, between, filter, after, descending, limit, fields }: QueryOptions) {
  // DynamoDB refuses such a query, the embedded engine answers it: docs/decisions/0005-engine-differences.md.
  if (prefix && after !== undefined && !after.startsWith(prefix)) throw new Error(`${after} is not in the range ${prefix}`);
  const placeholders = createPlaceholders();
  const keys = [`${placeholders.name('pk')} = ${placeholders.value(pk)}`];
  if (prefix) keys.push(`begins_with(${placeholders.name('sk')}, ${placeholders.value(prefix)})`);
  if (between) keys.push(`${placeholders.name('sk')} BETWEEN ${placeholders.value(between.from)} AND ${placeholders.value(between.to)}`);
  const wanted = filter && filterText(filter, placeholders);
  const projection = fields && [...new Set(['pk', 'sk', ...fields])].map((name) => placeholders.name(name)).join(', ');
  return {
    TableName: table,
    KeyConditionExpression: keys.join(' AND '),
    ...(wanted && { FilterExpression: wanted }),
    ...(projection && { ProjectionExpression: projection }),
    ...placeholders.attributes(),
    ConsistentRead: true,
    ScanIndexForward: !descending,
    ...(limit !== undefined && { Limit: limit }),
    ...(after !== undefined && { ExclusiveStartKey: { pk, sk: after } }),
  };
}
