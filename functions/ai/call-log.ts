import * as z from 'zod';
import { usdOf } from '../../lib/ai/pricing/pico-usd.ts';
import { isCallPlace } from '../../lib/ai/records/call-log-table.ts';
import { CallOutcome, type CallRecord } from '../../lib/ai/records/call-record.ts';
import { searchCalls } from '../../lib/ai/records/search-calls.ts';
import { invalidField } from '../../lib/identity/accounts/dashboard-errors.ts';
import { listProjects } from '../../lib/identity/projects/project-repository.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { cursorParameter } from '../../lib/platform/list-cursor.ts';
import {
  API,
  checkMeant,
  type DashboardContext,
  dashboardEndpoint,
  dashboardFunction,
  inMeantOrganization,
} from '../identity/dashboard-endpoint.ts';

const DAY_MS = 86_400_000;
/** Each project has a list of its own, so a search over more of them would cost hundreds of queries. */
const PROJECTS_AT_ONCE = 20;

const text = z.string().min(1).max(256);
const Query = z.object({
  request_id: text.optional(),
  project_id: text.optional(),
  organization_id: text.optional(),
  provider: text.optional(),
  model: text.optional(),
  status: z.union([CallOutcome, z.string().regex(/^\d{3}$/, 'must be an outcome or a status code')]).optional(),
  user: text.optional(),
  session: text.optional(),
  tag: text.optional(),
  start_time: z.iso.datetime({ offset: true }).optional(),
  end_time: z.iso.datetime({ offset: true }).optional(),
  cursor: cursorParameter(isCallPlace),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

const LoggedAttempt = z
  .object({ provider: z.string(), model: z.string(), status_code: z.int(), error: z.string().optional(), latency_ms: z.number() })
  .meta({ id: 'LoggedAttempt' });
const LoggedCall = z
  .object({
    request_id: z.string(),
    trace_id: z.string(),
    project_id: z.string(),
    api_key_id: z.string(),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    requested_model: z.string(),
    status_code: z.int(),
    outcome: CallOutcome,
    error: z.string().optional(),
    attempts: z.array(LoggedAttempt),
    usage: z.record(z.string(), z.int()),
    cost_usd: z.number(),
    cost_estimated: z.boolean(),
    usage_estimated: z.boolean(),
    latency_ms: z.number(),
    ttft_ms: z.number().nullable(),
    overhead_ms: z.number(),
    cache_hit: z.boolean(),
    tags: z.array(z.string()),
    user: z.string().nullable(),
    session: z.string().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'LoggedCall' });

const logged = (record: CallRecord): z.input<typeof LoggedCall> => ({
  ...record,
  error: record.error ?? undefined,
  cost_usd: usdOf(BigInt(record.cost_pico_usd)),
  cache_hit: record.cache === 'HIT',
  created_at: new Date(record.started_ms).toISOString(),
});

/** The projects that a request means: the one that it names, or all of the organization. */
async function projectsOf(context: DashboardContext, { project_id, organization_id }: z.output<typeof Query>): Promise<string[]> {
  const { headers } = context.request;
  const meant = { organization_id: organization_id ?? headers['x-organization-id'], project_id: project_id ?? headers['x-project-id'] };
  const { organization, project } = await checkMeant(context, 'analytics:read', meant);
  if (project) return [project.id];
  const all = await listProjects(context.services.database, organization.id);
  if (all.length > PROJECTS_AT_ONCE)
    throw invalidField('project_id', `is needed in an organization with more than ${PROJECTS_AT_ONCE} projects`);
  return all.map(({ id }) => id);
}

export const callLogEndpoints = [
  dashboardEndpoint({
    id: 'list_requests',
    method: 'GET',
    path: `${API}/analytics/requests`,
    summary: 'The calls of the inference API, newest first',
    description: 'If more calls match, `meta.next_cursor` continues the list. Calls appear some seconds after their answers.',
    tag: 'analytics',
    access: inMeantOrganization('analytics:read').access,
    query: Query,
    status: 200,
    response: z.array(LoggedCall),
    errors: ['ORG_NOT_FOUND', 'PROJECT_NOT_FOUND'],
    async handle(context, { query }) {
      const project_ids = await projectsOf(context, query);
      const { database, clock } = context.services;
      const nowMs = clock.nowMs();
      const { start_time, end_time, ...filters } = query;
      const fromMs = start_time === undefined ? nowMs - 30 * DAY_MS : Date.parse(start_time);
      const toMs = end_time === undefined ? nowMs + DAY_MS : Date.parse(end_time);
      if (fromMs > toMs) throw invalidField('start_time', 'must not be after end_time', 'INVALID_TIME_RANGE');
      const { calls, next } = await searchCalls(database, { ...filters, project_ids, fromMs, toMs }, nowMs);
      return reply({ body: calls.map(logged), meta: { next_cursor: next } });
    },
  }),
];
export const handler = dashboardFunction(callLogEndpoints);
