import * as z from 'zod';
import { Email, nameOf } from '../../lib/identity/accounts/account-schemas.ts';
import { invalidField } from '../../lib/identity/accounts/dashboard-errors.ts';
import { login } from '../../lib/identity/accounts/login.ts';
import { register } from '../../lib/identity/accounts/registration.ts';
import { TokenPair } from '../../lib/identity/accounts/sign-in.ts';
import { keyOfHeaders } from '../../lib/identity/api-keys/key-authenticator.ts';
import { API, dashboardEndpoint, dashboardFunction, visitorOf } from './dashboard-endpoint.ts';
import { projectKeys } from './project-keys.ts';

const tag = 'accounts';
const PASSWORD_LENGTH = { min: 8, max: 128 };
/** A new password. Old ones are not checked by this rule. */
export const NewPassword = z.string().min(PASSWORD_LENGTH.min).max(PASSWORD_LENGTH.max);
/** What the client says of the device, shown in the list of sessions. */
const DeviceInfo = z
  .record(z.string().max(64), z.union([z.string().max(256), z.number(), z.boolean(), z.null()]))
  .refine((device) => Object.keys(device).length <= 20, 'must have at most 20 members');

const Registration = z
  .object({
    email: Email,
    name: nameOf(1, 200),
    password: NewPassword,
    organization_name: nameOf(2, 100).optional(),
    device_info: DeviceInfo.optional(),
  })
  .meta({ id: 'RegisterRequest' });
const Login = z
  .object({ email: Email, password: z.string().min(1).max(PASSWORD_LENGTH.max), device_info: DeviceInfo.optional() })
  .meta({ id: 'LoginRequest' });
const Registered = TokenPair.extend({
  organization: z.object({ id: z.string(), name: z.string(), role: z.literal('owner') }),
}).meta({ id: 'Registered' });

const ValidKey = z
  .object({
    valid: z.literal(true),
    project_id: z.string(),
    organization_id: z.string(),
    environment: z.string(),
    tier: z.string(),
    permissions: z.array(z.string()),
    scopes: z.array(z.string()),
    api_key: z.object({ id: z.string(), name: z.string() }),
  })
  .meta({ id: 'ValidKey' });

export const authEndpoints = [
  dashboardEndpoint({
    id: 'register',
    method: 'POST',
    path: `${API}/auth/register`,
    aliases: [`${API}/auth/signup`],
    summary: 'Register a user with an organization',
    description: 'Makes the user, an organization that he owns, and a project called Default. The answer signs him in.',
    tag,
    access: 'public',
    body: Registration,
    status: 201,
    response: Registered,
    errors: ['EMAIL_ALREADY_EXISTS'],
    handle: ({ services, request }, { body }) => register(services, visitorOf(request), body),
  }),
  dashboardEndpoint({
    id: 'login',
    method: 'POST',
    path: `${API}/auth/login`,
    summary: 'Sign in',
    description:
      'After five failures for an address, or twenty from a network, further tries are refused until a quarter of an hour is over.',
    tag,
    access: 'public',
    body: Login,
    status: 200,
    response: TokenPair,
    errors: ['INVALID_CREDENTIALS', 'ACCOUNT_INACTIVE', 'RATE_LIMIT_EXCEEDED'],
    handle: ({ services, request }, { body }) => login(services, visitorOf(request), body),
  }),
  dashboardEndpoint({
    id: 'validate_key',
    method: 'POST',
    path: '/v1/auth/validate-key',
    summary: 'Return the project of an API key',
    description: 'Takes the key as X-API-Key or after `Bearer`.',
    tag,
    access: 'public',
    status: 200,
    response: ValidKey,
    errors: ['REQUIRED_FIELD_MISSING', 'API_KEY_INVALID', 'API_KEY_EXPIRED', 'API_KEY_REVOKED', 'PROJECT_INACTIVE'],
    async handle({ request, services }) {
      if (keyOfHeaders(request.headers) === undefined)
        throw invalidField('X-API-Key', 'the request carries no API key', 'REQUIRED_FIELD_MISSING');
      const { key_id, key_name, project_id, organization_id, plan, scopes } = await projectKeys(services.runtime).authenticate(request);
      return {
        valid: true as const,
        project_id,
        organization_id,
        environment: 'production',
        tier: plan,
        permissions: [...scopes],
        scopes: [...scopes],
        api_key: { id: key_id, name: key_name },
      };
    },
  }),
];
export const handler = dashboardFunction(authEndpoints);
