import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { deadLetterQueue } from '../../functions/app.ts';
import { fallbackGroup, httpGroups, queueGroups, scheduleGroups, streamGroups, tables } from '../../functions/registry.ts';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../../infra/host/engines/create-queues.ts';
import { DEVELOPMENT_PAK_HASH } from '../../lib/identity/pak.ts';
import { Config } from '../../lib/platform/config.ts';
import { pathsOf } from '../../lib/platform/http/router.ts';
import { createChoice } from './gateway-route.ts';
import { type Deployment, packageDeployment } from './packaged-deployment.ts';

const PREFIX = 'brokkr-dev';
const rights = z.record(z.string(), z.unknown()).parse(createRequire(import.meta.url)('../../infra/resources/function-rights.cjs'));
/** CloudFormation's limit of resources in one stack, and what stays free of it for what nobody has thought of. */
const [STACK_LIMIT, MARGIN] = [500, 30];
/** Six for a function with its role, log, alarm, integration and permission, and three for its routes, or for its queue. */
const RESOURCES_OF_A_FUNCTION = 9;
/** The functions that the product has in its design, deployed or not. A function that is found to be missing here is added. */
const PLANNED = [
  // accounts
  ...['auth', 'users', 'organizations', 'projects', 'api-keys'],
  // the gateway
  ...[
    'inference',
    'inference-stream',
    'models',
    'routing',
    'budgets',
    'ingest',
    'analytics',
    'billing',
    'ai-config',
    'organization-webhooks',
    'call-records',
  ],
  // the fleet
  ...['templates', 'work-orders', 'webhooks', 'diagnostics', 'fleet-overview', 'webhook-delivery', 'work-order-expiry'],
  // live events
  ...['live-connect', 'live-message', 'live-disconnect', 'event-broadcast'],
];
/** Variables that are not deployed: other engines, variables that Lambda sets, and development mode. */
const NOT_DEPLOYED = [
  'DYNAMODB_ENDPOINT',
  'SQS_ENDPOINT',
  'KMS_ENDPOINT',
  'AWS_REGION',
  'BROKKR_DEV',
  'BROKKR_SEALING_KEY_FILE',
  'ALLOW_PRIVATE_UPSTREAMS',
  'BROKKR_RATE_LIMITS',
];

const GetAtt = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const attributeOf = (value: unknown) => GetAtt.parse(value)['Fn::GetAtt'][0];
const LambdaProperties = z.object({
  FunctionName: z.string(),
  Handler: z.string(),
  Runtime: z.string(),
  Timeout: z.number(),
  Role: GetAtt,
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }),
});
const RouteProperties = z.object({
  RouteKey: z.string(),
  Target: z.object({ 'Fn::Join': z.tuple([z.string(), z.tuple([z.string(), z.object({ Ref: z.string() })])]) }),
});
const QueueProperties = z.looseObject({ QueueName: z.string(), VisibilityTimeout: z.number().optional() });
const TableProperties = z.looseObject({ TableName: z.string(), TimeToLiveSpecification: z.unknown().optional() });

describe('the packaged deployment', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await packageDeployment();
  }, 400_000);
  afterAll(() => deployment?.remove());

  const functions = () =>
    new Map(deployment.ofType('AWS::Lambda::Function').map(([id, { Properties }]) => [id, LambdaProperties.parse(Properties)]));
  const nameOf = (logicalId: string) =>
    functions()
      .get(logicalId)
      ?.FunctionName.slice(PREFIX.length + 1) ?? `no function ${logicalId}`;
  const functionCalled = (name: string) => [...functions().values()].find(({ FunctionName }) => FunctionName === `${PREFIX}-${name}`);
  const listed = [...httpGroups, ...queueGroups, ...scheduleGroups, ...streamGroups];

  test('the deployment has one function for each group, consumer and schedule, with its module, and no other', () => {
    const deployed = Object.fromEntries([...functions().values()].map(({ FunctionName, Handler }) => [FunctionName, Handler]));
    expect(deployed).toEqual(Object.fromEntries(listed.map(({ name, file }) => [`${PREFIX}-${name}`, `functions/${file}.handler`])));
  });

  test('each endpoint’s path is routed to its own function with any method, and no route is unused', () => {
    const integrations = new Map(
      deployment
        .ofType('AWS::ApiGatewayV2::Integration')
        .map(([id, { Properties }]) => [id, nameOf(attributeOf(Properties.IntegrationUri))]),
    );
    const routes = deployment.ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => {
      const { RouteKey, Target } = RouteProperties.parse(Properties);
      expect(RouteKey).toMatch(/^(ANY \/|\$default$)/);
      return { template: RouteKey.replace('ANY ', ''), function: integrations.get(Target['Fn::Join'][1][1].Ref) ?? 'none' };
    });
    const choose = createChoice(routes.filter(({ template }) => template !== '$default'));
    const chosen = httpGroups.flatMap(({ name, endpoints }) =>
      endpoints.flatMap(pathsOf).map((path) => ({ path, wanted: name, route: choose(path.replaceAll(/{(\w+)}/g, '$1'))?.route })),
    );
    const wrong = chosen.filter(({ wanted, route }) => (route?.function ?? fallbackGroup.name) !== wanted);
    expect(wrong).toEqual([]);
    const used = new Set(['$default', ...chosen.map(({ route }) => route?.template)]);
    expect(routes.filter(({ template }) => !used.has(template))).toEqual([]);
    expect(routes.find(({ template }) => template === '$default')?.function).toBe(fallbackGroup.name);
  });

  test('a streaming function has an address that streams, the rights of a whole answer’s function, and fifteen minutes', () => {
    const urls = deployment.ofType('AWS::Lambda::Url').map(([, { Properties }]) => Properties);
    expect(urls).toHaveLength(streamGroups.length);
    for (const { AuthType, InvokeMode } of urls) expect([AuthType, InvokeMode]).toEqual(['NONE', 'RESPONSE_STREAM']);
    for (const { name, endpoints } of streamGroups) {
      expect(functionCalled(name)?.Timeout).toBe(900);
      expect(rights[name]).toEqual(rights[name.replace('-stream', '')]);
      const elsewhere = httpGroups.flatMap((group) => group.endpoints);
      expect(endpoints.filter((endpoint) => !elsewhere.includes(endpoint))).toEqual([]);
    }
  });

  test('the deployment fits into one stack together with every function that is still to come', () => {
    const names = new Set(listed.map(({ name }) => name));
    const toCome = PLANNED.filter((name) => !names.has(name)).length;
    expect(Object.keys(deployment.resources).length + toCome * RESOURCES_OF_A_FUNCTION).toBeLessThan(STACK_LIMIT - MARGIN);
  });

  test('metrics, which name every agent, need IAM authorization', () => {
    const open = deployment.ofType('AWS::ApiGatewayV2::Route').filter(([, { Properties }]) => Properties.AuthorizationType !== 'AWS_IAM');
    expect(open.map(([, { Properties }]) => Properties.RouteKey)).not.toContain('ANY /metrics');
  });

  test('each request is logged without its query and headers, in a log with a retention', () => {
    const [[, stage] = []] = deployment.ofType('AWS::ApiGatewayV2::Stage');
    const Access = z.object({ DestinationArn: GetAtt, Format: z.string().transform((text) => JSON.parse(text)) });
    const { DestinationArn, Format } = Access.parse(stage?.Properties.AccessLogSettings);
    expect(deployment.resources[attributeOf(DestinationArn)]?.Properties).toMatchObject({ RetentionInDays: 30 });
    expect(Format).toMatchObject({ status: '$context.status', path: '$context.path', ms: '$context.responseLatency' });
  });

  test('the number of instances that notify agents is bounded', () => {
    const limits = deployment.ofType('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties.ScalingConfig);
    expect(limits).toEqual(queueGroups.map(() => ({ MaximumConcurrency: expect.any(Number) })));
  });

  test('every integration uses the payload format that the functions understand', () => {
    const formats = deployment.ofType('AWS::ApiGatewayV2::Integration').map(([, { Properties }]) => Properties.PayloadFormatVersion);
    expect(new Set(formats)).toEqual(new Set(['2.0']));
  });

  test('each queue triggers its consumer’s function, which returns failures one by one, and no other function', () => {
    const mapped = deployment.ofType('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => {
      expect(Properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
      const queue = deployment.resources[attributeOf(Properties.EventSourceArn)];
      return [queue?.Properties.QueueName, nameOf(attributeOf(Properties.FunctionName))];
    });
    expect(mapped).toEqual(queueGroups.map(({ name, consumer }) => [`${PREFIX}-${consumer.queue}`, name]));
  });

  test('only records of calls are gathered into batches, since agents and removals must not wait for others', () => {
    const batches = deployment.ofType('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => {
      const { BatchSize, MaximumBatchingWindowInSeconds: seconds } = Properties;
      return [nameOf(attributeOf(Properties.FunctionName)), { messages: BatchSize, seconds }];
    });
    const byFunction = Object.fromEntries(batches);
    expect(byFunction).toEqual({
      'account-clean-up': { messages: 1, seconds: 0 },
      'agent-fanout': { messages: 2, seconds: 0 },
      'call-records': { messages: 10, seconds: 1 },
      'clean-up': { messages: 2, seconds: 0 },
      'work-order-dispatch': { messages: 5, seconds: 0 },
    });
  });

  test('each schedule runs its function at its interval', () => {
    const rate = (seconds: number) => (seconds === 60 ? 'rate(1 minute)' : `rate(${seconds / 60} minutes)`);
    const Targets = z.tuple([z.object({ Arn: GetAtt })]);
    const fired = deployment.ofType('AWS::Events::Rule').map(([, { Properties }]) => {
      expect(Properties.State).toBe('ENABLED');
      return [nameOf(attributeOf(Targets.parse(Properties.Targets)[0].Arn)), Properties.ScheduleExpression];
    });
    expect(fired).toEqual(scheduleGroups.map(({ name, schedule }) => [name, rate(schedule.everySeconds)]));
  });

  test('each table has the code’s keys and time to live, is billed by use, retained, encrypted and recoverable', () => {
    const key = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
    const deployed = deployment.ofType('AWS::DynamoDB::Table').map(([, { Properties, ...resource }]) => {
      const { TableName, TimeToLiveSpecification, ...rest } = TableProperties.parse(Properties);
      expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
      expect(rest).toEqual({
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: false,
        AttributeDefinitions: [key('pk'), key('sk')],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
      });
      return [TableName, TimeToLiveSpecification];
    });
    const timeToLive = { AttributeName: 'expires_at', Enabled: true };
    expect(deployed).toEqual(tables.map((table) => [`${PREFIX}-${table.name}`, table.timeToLive ? timeToLive : undefined]));
  });

  test('each queue has a dead-letter queue after five attempts and a visibility timeout of six function timeouts', () => {
    const queues = deployment.ofType('AWS::SQS::Queue').map(([id, { Properties }]) => ({ id, ...QueueProperties.parse(Properties) }));
    const called = (name: string) => queues.find(({ QueueName }) => QueueName === `${PREFIX}-${name}`);
    expect(queues).toHaveLength(2 * queueGroups.length);
    for (const { name, consumer } of queueGroups) {
      const dead = called(deadLetterQueue(consumer.queue));
      expect(called(consumer.queue)).toMatchObject({
        VisibilityTimeout: 6 * (functionCalled(name)?.Timeout ?? 0),
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [dead?.id, 'Arn'] }, maxReceiveCount: MAX_RECEIVE_COUNT },
      });
      expect(called(consumer.queue)?.VisibilityTimeout).toBe(VISIBILITY_TIMEOUT_SECONDS);
      expect(dead).toMatchObject({ MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true });
    }
  });

  test('each function gets every variable of the configuration and no unknown one', () => {
    for (const { Environment, FunctionName } of functions().values()) {
      const variables = Environment.Variables;
      expect([...Object.keys(variables), ...NOT_DEPLOYED].sort()).toEqual(Object.keys(Config.shape).sort());
      expect(variables.BROKKR_PREFIX).toBe(PREFIX);
      expect(FunctionName.startsWith(`${variables.BROKKR_PREFIX}-`)).toBe(true);
      expect(Config.parse(Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')))).toMatchObject({
        BROKKR_DEV: false,
      });
    }
  });

  test('functions run on the Node.js version that the tests use', () => {
    const major = process.versions.node.split('.')[0];
    expect(new Set([...functions().values()].map(({ Runtime }) => Runtime))).toEqual(new Set([`nodejs${major}.x`]));
  });

  test('each function has a role of its own, and the file of rights names every function', () => {
    const roles = [...functions().values()].map(({ Role }) => Role['Fn::GetAtt'][0]);
    expect(new Set(roles).size).toBe(roles.length);
    expect(roles.sort()).toEqual(
      deployment
        .ofType('AWS::IAM::Role')
        .map(([id]) => id)
        .sort(),
    );
    expect(Object.keys(rights).sort()).toEqual(listed.map(({ name }) => name).sort());
  });

  test('no right is a wildcard, and none reaches the resources of another deployment', () => {
    const Statement = z.object({
      Effect: z.literal('Allow'),
      Action: z.array(z.string()),
      Resource: z.unknown(),
      Condition: z.unknown().optional(),
    });
    const Policies = z.array(z.object({ PolicyDocument: z.object({ Statement: z.array(Statement) }) }));
    for (const [id, { Properties }] of deployment.ofType('AWS::IAM::Role')) {
      expect(Object.keys(Properties).sort()).toEqual(['AssumeRolePolicyDocument', 'Policies']);
      for (const { Action, Resource, Condition } of Policies.parse(Properties.Policies).flatMap(
        ({ PolicyDocument }) => PolicyDocument.Statement,
      )) {
        expect(Action.filter((action) => action.includes('*'))).toEqual([]);
        if (Action.every((action) => action.startsWith('logs:'))) {
          // The streams of a log group can only be named by a wildcard.
          expect(JSON.stringify(Resource)).toMatch(new RegExp(`log-group:/aws/lambda/${PREFIX}-[a-z0-9-]+:\\*"`));
        } else if (Action.every((action) => action.startsWith('ses:'))) {
          // A sender may be verified by its domain, so that the identity has no certain name.
          expect(Condition).toEqual({ StringEquals: { 'ses:FromAddress': expect.any(String) } });
        } else {
          expect(Object.keys(deployment.resources)).toContain(attributeOf(Resource));
          expect(`${id} ${JSON.stringify(Resource)}`).not.toContain('*');
        }
      }
    }
  });

  test('alarms watch dead-letter queues, failing and throttled functions, undelivered events and server errors', () => {
    const Metric = z.object({
      MetricName: z.string(),
      Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]),
    });
    const Alarm = z.union([
      Metric.transform((metric) => [metric]),
      z
        .object({ Metrics: z.array(z.object({ MetricStat: z.object({ Metric }).optional() })) })
        .transform(({ Metrics }) => Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])),
    ]);
    const alarms = deployment.ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
    for (const { AlarmActions } of alarms) expect(AlarmActions).toEqual([{ Ref: 'AlarmTopic' }]);
    const metrics = alarms.flatMap((properties) => Alarm.parse(properties));
    const on = metrics.map(({ MetricName, Dimensions }) => `${MetricName} ${JSON.stringify(Dimensions[0]?.Value ?? null)}`);
    const deadIds = deployment
      .ofType('AWS::SQS::Queue')
      .filter(([, { Properties }]) => String(Properties.QueueName).endsWith('-dead'))
      .map(([id]) => id);
    expect(on).toEqual(
      expect.arrayContaining([
        ...deadIds.map((id) => `ApproximateNumberOfMessagesVisible ${JSON.stringify({ 'Fn::GetAtt': [id, 'QueueName'] })}`),
        ...listed.flatMap(({ name }) => [`Errors "${PREFIX}-${name}"`, `Throttles "${PREFIX}-${name}"`]),
        'OutboxLeft null',
        '5xx {"Ref":"HttpApi"}',
      ]),
    );
  });

  test('the rate of requests, which anybody can send, has a limit', () => {
    expect(deployment.ofType('AWS::ApiGatewayV2::Stage').map(([, { Properties }]) => Properties.DefaultRouteSettings)).toEqual([
      { DetailedMetricsEnabled: true, ThrottlingRateLimit: expect.any(Number), ThrottlingBurstLimit: expect.any(Number) },
    ]);
  });

  test('the package contains the code’s reference', async () => {
    const archive = await readFile(join(deployment.folder, 'reference.zip'));
    expect(archive.includes('docs/api/index.html')).toBe(true);
  });

  test('a deployment with the public development key, or without an admin key, is refused', () => {
    const RequireAdminKey = createRequire(import.meta.url)('../../infra/resources/require-admin-key.cjs');
    const deployWith = (hash: string) => {
      const service = { provider: { environment: { BROKKR_ADMIN_PAK_HASH: hash } } };
      new RequireAdminKey({ service, classes: { Error } }).hooks['before:deploy:deploy']();
    };
    expect(() => deployWith(DEVELOPMENT_PAK_HASH)).toThrow('public development key');
    expect(() => deployWith('')).toThrow('an admin key is missing');
    expect(() => deployWith('0'.repeat(64))).not.toThrow();
  });

  test('every log group is deleted after a month', () => {
    const groups = deployment
      .ofType('AWS::Logs::LogGroup')
      .map(([, { Properties }]) => [Properties.LogGroupName, Properties.RetentionInDays]);
    const expected = [['/aws/http-api/brokkr-dev', 30], ...listed.map(({ name }) => [`/aws/lambda/${PREFIX}-${name}`, 30])];
    expect(groups.sort()).toEqual(expected.sort());
  });
});
