import * as z from 'zod';
import { FLEET_ERRORS, FLEET_STATUS } from '../../lib/fleet/fleet-errors.ts';
import type { AnyEndpoint } from '../../lib/platform/http/endpoint.ts';
import { type OpenApiDocument, openApiDocument } from '../../lib/platform/http/openapi-document.ts';
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

/** The API's OpenAPI document, without the pages of the documentation. */
export function apiDocument(endpoints: readonly AnyEndpoint[]): OpenApiDocument {
  return openApiDocument(
    endpoints.filter(({ tag }) => tag !== 'documentation'),
    {
      title: 'brokkr-broker',
      version: manifest.version,
      description: 'A control plane that never connects to a cluster: agents ask it what to run.',
      basePath: API,
      securitySchemes: {
        admin_pak: inAuthorization("An admin's"),
        agent_pak: inAuthorization("An agent's"),
        generator_pak: inAuthorization("A generator's"),
      },
      schemeOf: (principal) => `${principal}_pak`,
      statuses: FLEET_STATUS,
      errorOf,
      errorSchema: ErrorResponse,
    },
  );
}
