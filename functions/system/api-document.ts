import * as z from 'zod';
import { INFERENCE_STATUS } from '../../lib/ai/wire/inference-errors.ts';
import { FLEET_ERRORS, FLEET_STATUS } from '../../lib/fleet/fleet-errors.ts';
import { DASHBOARD_ERRORS, DASHBOARD_STATUS } from '../../lib/identity/accounts/dashboard-errors.ts';
import type { AnyEndpoint } from '../../lib/platform/http/endpoint.ts';
import { type Dialect, type OpenApiDocument, openApiDocument } from '../../lib/platform/http/openapi-document.ts';
import manifest from '../../package.json' with { type: 'json' };
import { API } from '../fleet/fleet-endpoint.ts';

/** The body of every error answer; see lib/fleet/fleet-errors.ts. */
const ErrorResponse = z
  .object({
    code: z.string().describe('Stable, so that programs can rely on it'),
    message: z.string(),
    error: z.string().describe('The message again'),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'ErrorResponse' });

const inAuthorization = (whose: string) => ({
  type: 'apiKey',
  in: 'header',
  name: 'Authorization',
  description: `${whose} key, alone or after \`Bearer \``,
});

const KINDS: Readonly<Record<string, number>> = FLEET_STATUS;
function errorOf(code: string): { status: number; text: string } {
  const known = Object.entries(FLEET_ERRORS).find(([name]) => name === code);
  if (known) return { status: FLEET_STATUS[known[1][0]], text: known[1][1] };
  const status = KINDS[code];
  if (status === undefined) throw new Error(`unknown error code: ${code}`);
  return { status, text: code.replaceAll('_', ' ') };
}

const fleetDialect: Dialect = {
  schemeOf: (principal) => `${principal}_pak`,
  statuses: FLEET_STATUS,
  errorOf,
  errorSchema: ErrorResponse,
  unauthenticatedBody: false,
  codes: {
    validation: 'validation_failed',
    json: '`invalid_json`, `invalid_encoding`',
    tooLarge: 'payload_too_large',
    mediaType: 'unsupported_media_type',
    unavailable: 'unavailable',
    internal: 'internal_error',
  },
};

const Meta = z.object({ timestamp: z.iso.datetime(), request_id: z.string(), version: z.literal('v1') });
/** The body of every refusal of the dashboard; see lib/identity/accounts/dashboard-errors.ts. */
const EnvelopeError = z
  .object({
    success: z.literal(false),
    data: z.null(),
    error: z.object({ type: z.string(), code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
    meta: Meta,
  })
  .meta({ id: 'EnvelopeError' });

const dashboardDialect: Dialect = {
  schemeOf: (principal) => (principal === 'user' ? 'user_token' : 'project_key'),
  statuses: DASHBOARD_STATUS,
  errorOf(code) {
    const known = Object.entries(DASHBOARD_ERRORS).find(([name]) => name === code);
    if (!known) throw new Error(`unknown error code: ${code}`);
    return { status: DASHBOARD_STATUS[known[1][0]], text: known[1][1] };
  },
  errorSchema: EnvelopeError,
  unauthenticatedBody: true,
  codes: {
    validation: 'VALIDATION_ERROR',
    json: '`INVALID_JSON`',
    tooLarge: 'PAYLOAD_TOO_LARGE',
    mediaType: 'UNSUPPORTED_MEDIA_TYPE',
    unavailable: 'SERVICE_UNAVAILABLE',
    internal: 'INTERNAL_ERROR',
  },
  wrap: (data) => ({
    type: 'object',
    properties: {
      success: { const: true },
      data,
      error: { type: 'null' },
      meta: {
        type: 'object',
        properties: {
          timestamp: { type: 'string', format: 'date-time' },
          request_id: { type: 'string' },
          version: { const: 'v1' },
          pagination: { type: 'object' },
        },
        required: ['timestamp', 'request_id', 'version'],
      },
    },
    required: ['success', 'data', 'error', 'meta'],
  }),
};

/** OpenAI's error, inside the envelope; see lib/ai/wire/inference-errors.ts. */
const InferenceErrorBody = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
      provider: z.string().optional(),
      brokle_type: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
    success: z.literal(false),
    data: z.null(),
    meta: Meta,
  })
  .meta({ id: 'InferenceError' });

const inferenceDialect: Dialect = {
  schemeOf: () => 'project_key',
  statuses: INFERENCE_STATUS,
  errorOf(code) {
    throw new Error(`unknown error code: ${code}`);
  },
  errorSchema: InferenceErrorBody,
  unauthenticatedBody: true,
  codes: {
    validation: 'invalid_value',
    json: '`invalid_json`',
    tooLarge: 'request_too_large',
    mediaType: 'unsupported_media_type',
    unavailable: 'service_unavailable',
    internal: 'internal_error',
  },
};

/** What the API has, in the order of a first visit: the fleet, the AI gateway, and what both need. */
const TAGS = [
  { name: 'generators', description: 'Fleet: users and CI systems, the owners of stacks' },
  { name: 'stacks', description: 'Fleet: sets of YAML that agents run, with their labels and annotations' },
  { name: 'deployment objects', description: 'Fleet: versions of the YAML of a stack' },
  { name: 'agents', description: 'Fleet: agents in clusters, and what they are targeted by' },
  { name: 'agent sync', description: 'Fleet: what an agent asks and reports' },
  { name: 'templates', description: 'Fleet: texts with parameters, from which deployment objects are made' },
  { name: 'work orders', description: 'Fleet: single pieces of work, each carried out once by one of several agents' },
  { name: 'v1', description: 'Fleet: deployments in one call, for clients of the first version' },
  { name: 'inference', description: "AI gateway: OpenAI's and Anthropic's operations, with a project key" },
  { name: 'accounts', description: 'AI gateway: registration, login and sessions' },
  { name: 'organizations', description: 'AI gateway: organizations, their members and invitations' },
  { name: 'projects', description: 'AI gateway: projects of an organization' },
  { name: 'api-keys', description: 'AI gateway: keys of projects' },
  { name: 'routing', description: 'AI gateway: providers, models, prices, model groups, and how calls are routed' },
  { name: 'budgets', description: 'AI gateway: limits of cost' },
  { name: 'analytics', description: 'AI gateway: records of calls' },
  { name: 'auth', description: 'Both: check a key' },
  { name: 'admin', description: 'Both: the audit log' },
  { name: 'system', description: 'Both: health and metrics' },
];

/** Surfaces whose answers and errors differ from the fleet's. */
const DIALECTS: Readonly<Record<string, Dialect>> = { dashboard: dashboardDialect, routing: dashboardDialect, inference: inferenceDialect };

/** The API's OpenAPI document, without the pages of the documentation. */
export function apiDocument(endpoints: readonly AnyEndpoint[]): OpenApiDocument {
  return openApiDocument(
    endpoints.filter(({ tag }) => tag !== 'documentation'),
    {
      title: 'brokkr-broker',
      version: manifest.version,
      description:
        'Two control planes. The fleet never connects to a cluster: agents ask it what to run. The AI gateway answers as OpenAI and Anthropic do, routes each call to a provider, and records its exact cost.',
      basePath: API,
      tags: TAGS,
      securitySchemes: {
        admin_pak: inAuthorization("An admin's"),
        agent_pak: inAuthorization("An agent's"),
        generator_pak: inAuthorization("A generator's"),
        user_token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The token of a login' },
        project_key: {
          type: 'apiKey',
          in: 'header',
          name: 'X-API-Key',
          description: "A project's key; `Authorization: Bearer` works as well",
        },
      },
      dialectOf: ({ surface }) => DIALECTS[surface.name] ?? fleetDialect,
    },
  );
}
