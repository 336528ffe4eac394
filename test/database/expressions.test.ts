import { describe, expect, test } from '@jest/globals';
import { queryInput, writeInput } from '../../lib/platform/database/expressions.ts';

const physical = (table: string) => `dev-${table}`;
const key = { pk: 'P', sk: 'S' };

describe('expressions', () => {
  test('an expression contains placeholders in place of every name and value of a caller', () => {
    const hostile = 'x = :y OR attribute_exists(pk)';
    const input = writeInput(
      { table: 't', update: key, set: { [hostile]: hostile }, add: { 'a.b': 1 }, remove: ['c d'], if: { equals: { '#e': ':f' } } },
      physical,
    );
    const { UpdateExpression = '', ConditionExpression = '' } = input;
    expect(`${UpdateExpression} ${ConditionExpression}`).toMatch(/^[\w#:=, ]+$/);
    expect(Object.values(input.ExpressionAttributeNames ?? {}).sort()).toEqual(['#e', 'a.b', 'c d', hostile]);
    expect(Object.values(input.ExpressionAttributeValues ?? {})).toEqual(expect.arrayContaining([hostile, 1, ':f']));
  });

  test('a write without a condition has no condition expression and no unused placeholders', () => {
    expect(writeInput({ table: 't', put: { ...key, a: 1 } }, physical)).toEqual({ TableName: 'dev-t', Item: { ...key, a: 1 } });
    expect(writeInput({ table: 't', delete: key, if: {} }, physical)).toEqual({ TableName: 'dev-t', Key: key });
  });

  test('a check is sent with its key alone', () => {
    expect(writeInput({ table: 't', check: key, if: { exists: true } }, physical)).toEqual({
      TableName: 'dev-t',
      Key: key,
      ConditionExpression: 'attribute_exists(#n0)',
      ExpressionAttributeNames: { '#n0': 'pk' },
    });
  });

  test('a query is strongly consistent and asks for the keys besides the fields that it projects', () => {
    expect(queryInput('dev-t', { pk: 'P', prefix: 'A#', after: 'A#1', descending: true, limit: 5, fields: ['sk', 'name'] })).toEqual({
      TableName: 'dev-t',
      KeyConditionExpression: '#n0 = :v0 AND begins_with(#n1, :v1)',
      ProjectionExpression: '#n0, #n1, #n2',
      ExpressionAttributeNames: { '#n0': 'pk', '#n1': 'sk', '#n2': 'name' },
      ExpressionAttributeValues: { ':v0': 'P', ':v1': 'A#' },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 5,
      ExclusiveStartKey: { pk: 'P', sk: 'A#1' },
    });
  });
});
