import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { httpGroups, queueGroups, scheduleGroups, streamGroups } from '../../functions/registry.ts';

const optional = createRequire(import.meta.url)('../../infra/resources/optional.cjs');
const { logicalName } = createRequire(import.meta.url)('../../infra/resources/names.cjs');
const resourcesWith = async (parameters: Record<string, unknown>) => {
  const { Resources } = await optional({ resolveVariable: async (name: string) => parameters[name.replace('param:', '')] });
  return Resources;
};
const Service = z.object({ params: z.record(z.string(), z.record(z.string(), z.unknown())) });
const { params } = Service.parse(parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' }));

test('a deployment without parameters has no subscriber to the alarms and no right to send traces', async () => {
  expect(await resourcesWith({ tracing: false, alarmSubscriber: '' })).toEqual({});
});

test.each([
  ['ops@example.com', 'email'],
  ['https://alarms.example.com/hook', 'https'],
])('the alarm subscriber %s gets every alarm over %s', async (address, Protocol) => {
  expect(await resourcesWith({ tracing: false, alarmSubscriber: address })).toEqual({
    AlarmSubscription: { Type: 'AWS::SNS::Subscription', Properties: { TopicArn: { Ref: 'AlarmTopic' }, Protocol, Endpoint: address } },
  });
});

test.each([true, 'true'])('the parameter tracing %p gives every function the right to send traces, and no other right', async (tracing) => {
  const { TracingPolicy } = await resourcesWith({ tracing, alarmSubscriber: '' });
  const functions = [...httpGroups, ...queueGroups, ...scheduleGroups, ...streamGroups];
  expect(TracingPolicy.Properties.Roles).toHaveLength(functions.length);
  expect(TracingPolicy.Properties.Roles).toEqual(
    expect.arrayContaining(functions.map(({ name }) => ({ Ref: `${logicalName(name)}Role` }))),
  );
  expect(TracingPolicy.Properties.PolicyDocument.Statement).toEqual([
    { Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' },
  ]);
});

test('the stage prod protects tables from deletion, reserves instances for polls and streams, and leaves 100 of 1,000 to the rest', () => {
  const Prod = z.strictObject({ deletionProtection: z.literal(true), agentSyncConcurrency: z.number(), inferenceConcurrency: z.number() });
  const { agentSyncConcurrency, inferenceConcurrency } = Prod.parse(params.prod);
  expect(agentSyncConcurrency + inferenceConcurrency).toBeLessThanOrEqual(900);
});
