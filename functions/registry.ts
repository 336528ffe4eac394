import { gatewayTable } from '../lib/ai/gateway-table.ts';
import { usageTable } from '../lib/ai/usage-table.ts';
import { fleetTable } from '../lib/fleet/fleet-table.ts';
import { identityTable } from '../lib/identity/identity-table.ts';
import { telemetryTable } from '../lib/identity/telemetry-table.ts';
import type { Table } from '../lib/platform/database/table.ts';
import type { AnyConsumer } from '../lib/platform/events/consumer.ts';
import type { QueueFunction } from '../lib/platform/events/queue-function.ts';
import { workTable } from '../lib/platform/events/work-table.ts';
import type { AnyEndpoint } from '../lib/platform/http/endpoint.ts';
import type { HttpFunction } from '../lib/platform/http/http-function.ts';
import type { Schedule, ScheduleFunction } from '../lib/platform/schedule.ts';
import * as budgets from './ai/budgets.ts';
import * as callLog from './ai/call-log.ts';
import * as inference from './ai/inference.ts';
import * as inferenceStream from './ai/inference-stream.ts';
import * as models from './ai/models.ts';
import * as route from './ai/route.ts';
import * as routing from './ai/routing.ts';
import { accountCleanUp } from './consumers/account-clean-up.ts';
import * as accountCleanUpFunction from './consumers/account-clean-up-function.ts';
import { agentFanout } from './consumers/agent-fanout.ts';
import * as agentFanoutFunction from './consumers/agent-fanout-function.ts';
import { callRecords } from './consumers/call-records.ts';
import * as callRecordsFunction from './consumers/call-records-function.ts';
import { cleanUpConsumer } from './consumers/clean-up-consumer.ts';
import * as cleanUpFunction from './consumers/clean-up-function.ts';
import { workOrderDispatch } from './consumers/work-order-dispatch.ts';
import * as workOrderDispatchFunction from './consumers/work-order-dispatch-function.ts';
import * as admin from './fleet/admin.ts';
import * as agentSync from './fleet/agent-sync.ts';
import * as agents from './fleet/agents.ts';
import * as deploymentObjects from './fleet/deployment-objects.ts';
import * as deploymentsV1 from './fleet/deployments-v1.ts';
import * as generators from './fleet/generators.ts';
import * as stacks from './fleet/stacks.ts';
import * as templates from './fleet/templates.ts';
import * as workOrders from './fleet/work-orders.ts';
import * as apiKeys from './identity/api-keys.ts';
import * as auth from './identity/auth.ts';
import * as organizations from './identity/organizations.ts';
import * as pak from './identity/pak-verification.ts';
import * as projects from './identity/projects.ts';
import { outboxSweep, handler as outboxSweepHandler } from './schedules/outbox-sweep.ts';
import type { Services } from './services.ts';
import * as fallback from './system/fallback.ts';
import * as health from './system/health.ts';
import * as metrics from './system/metrics-endpoint.ts';
import * as openapi from './system/openapi.ts';
import * as readiness from './system/readiness-endpoint.ts';
import * as reference from './system/reference.ts';

/**
 * These lists name everything that is deployed. The one-process host serves them, and a test compares them with serverless.yml and
 * infra/resources in both directions. `file` is the function's module below functions/.
 */
export interface HttpGroup {
  name: string;
  file: string;
  endpoints: readonly AnyEndpoint[];
  handler: HttpFunction;
}
/** Serves API Gateway's `$default` route: every path that no other group has. */
export const fallbackGroup: HttpGroup = {
  name: 'fallback',
  file: 'system/fallback',
  endpoints: fallback.fallbackEndpoints,
  handler: fallback.handler,
};
export const httpGroups: readonly HttpGroup[] = [
  { name: 'pak', file: 'identity/pak-verification', endpoints: pak.pakEndpoints, handler: pak.handler },
  { name: 'agents', file: 'fleet/agents', endpoints: agents.agentEndpoints, handler: agents.handler },
  { name: 'agent-sync', file: 'fleet/agent-sync', endpoints: agentSync.agentSyncEndpoints, handler: agentSync.handler },
  { name: 'stacks', file: 'fleet/stacks', endpoints: stacks.stackEndpoints, handler: stacks.handler },
  {
    name: 'deployment-objects',
    file: 'fleet/deployment-objects',
    endpoints: deploymentObjects.deploymentObjectEndpoints,
    handler: deploymentObjects.handler,
  },
  { name: 'generators', file: 'fleet/generators', endpoints: generators.generatorEndpoints, handler: generators.handler },
  { name: 'templates', file: 'fleet/templates', endpoints: templates.templateEndpoints, handler: templates.handler },
  { name: 'work-orders', file: 'fleet/work-orders', endpoints: workOrders.workOrderEndpoints, handler: workOrders.handler },
  { name: 'admin', file: 'fleet/admin', endpoints: admin.adminEndpoints, handler: admin.handler },
  { name: 'deployments-v1', file: 'fleet/deployments-v1', endpoints: deploymentsV1.deploymentV1Endpoints, handler: deploymentsV1.handler },
  { name: 'api-keys', file: 'identity/api-keys', endpoints: apiKeys.apiKeyEndpoints, handler: apiKeys.handler },
  {
    name: 'organizations',
    file: 'identity/organizations',
    endpoints: organizations.organizationEndpoints,
    handler: organizations.handler,
  },
  { name: 'projects', file: 'identity/projects', endpoints: projects.projectEndpoints, handler: projects.handler },
  { name: 'inference', file: 'ai/inference', endpoints: inference.inferenceEndpoints, handler: inference.handler },
  { name: 'call-log', file: 'ai/call-log', endpoints: callLog.callLogEndpoints, handler: callLog.handler },
  { name: 'models', file: 'ai/models', endpoints: models.modelEndpoints, handler: models.handler },
  { name: 'auth', file: 'identity/auth', endpoints: auth.authEndpoints, handler: auth.handler },
  { name: 'budgets', file: 'ai/budgets', endpoints: budgets.budgetEndpoints, handler: budgets.handler },
  { name: 'route', file: 'ai/route', endpoints: route.routeEndpoints, handler: route.handler },
  { name: 'routing', file: 'ai/routing', endpoints: routing.routingEndpoints, handler: routing.handler },
  { name: 'health', file: 'system/health', endpoints: health.healthEndpoints, handler: health.handler },
  { name: 'readiness', file: 'system/readiness-endpoint', endpoints: readiness.readinessEndpoints, handler: readiness.handler },
  { name: 'metrics', file: 'system/metrics-endpoint', endpoints: metrics.metricsEndpoints, handler: metrics.handler },
  { name: 'openapi', file: 'system/openapi', endpoints: openapi.openapiEndpoints, handler: openapi.handler },
  { name: 'reference', file: 'system/reference', endpoints: reference.referenceEndpoints, handler: reference.handler },
  fallbackGroup,
];

/** Functions behind a function URL, which stream. Their endpoints are in other groups too, which the hosts serve. */
export interface StreamGroup {
  name: string;
  file: string;
  endpoints: readonly AnyEndpoint[];
}
export const streamGroups: readonly StreamGroup[] = [
  { name: 'inference-stream', file: 'ai/inference-stream', endpoints: inferenceStream.inferenceStreamEndpoints },
];

export interface QueueGroup {
  name: string;
  file: string;
  consumer: AnyConsumer;
  handler: QueueFunction;
}
export const queueGroups: readonly QueueGroup[] = [
  {
    name: 'account-clean-up',
    file: 'consumers/account-clean-up-function',
    consumer: accountCleanUp,
    handler: accountCleanUpFunction.handler,
  },
  { name: 'agent-fanout', file: 'consumers/agent-fanout-function', consumer: agentFanout, handler: agentFanoutFunction.handler },
  { name: 'call-records', file: 'consumers/call-records-function', consumer: callRecords, handler: callRecordsFunction.handler },
  { name: 'clean-up', file: 'consumers/clean-up-function', consumer: cleanUpConsumer, handler: cleanUpFunction.handler },
  {
    name: 'work-order-dispatch',
    file: 'consumers/work-order-dispatch-function',
    consumer: workOrderDispatch,
    handler: workOrderDispatchFunction.handler,
  },
];

export interface ScheduleGroup {
  name: string;
  file: string;
  schedule: Schedule<Services>;
  handler: ScheduleFunction;
}
export const scheduleGroups: readonly ScheduleGroup[] = [
  { name: 'outbox-sweep', file: 'schedules/outbox-sweep', schedule: outboxSweep, handler: outboxSweepHandler },
];

export const tables: readonly Table[] = [identityTable, fleetTable, workTable, telemetryTable, gatewayTable, usageTable];
