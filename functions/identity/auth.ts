import * as z from 'zod';
import { Email, nameOf, Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import { invalidField } from '../../lib/identity/accounts/dashboard-errors.ts';
import { login } from '../../lib/identity/accounts/sessions/login.ts';
import { refresh } from '../../lib/identity/accounts/sessions/refresh.ts';
import { endAllSessions, endSession, listLiveSessions, Session } from '../../lib/identity/accounts/sessions/session-service.ts';
import { TokenPair } from '../../lib/identity/accounts/sessions/sign-in.ts';
import { requestPasswordReset, resetPassword } from '../../lib/identity/accounts/users/password-reset.ts';
import { register } from '../../lib/identity/accounts/users/registration.ts';
import { keyOfHeaders } from '../../lib/identity/api-keys/key-authenticator.ts';
import { API, callerOf, dashboardEndpoint, dashboardFunction, NoMembers, optionalJson, signedIn, visitorOf } from './dashboard-endpoint.ts';
import { PageQuery, pagedAnswer } from './paged-answer.ts';
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
      'After five failures for an address, or twenty in all, further tries from the same network are refused until a quarter of an hour is over. Fifty failures for an address are the most from all networks together.',
    tag,
    access: 'public',
    body: Login,
    status: 200,
    response: TokenPair,
    errors: ['INVALID_CREDENTIALS', 'ACCOUNT_INACTIVE', 'RATE_LIMIT_EXCEEDED'],
    handle: ({ services, request }, { body }) => login(services, visitorOf(request), body),
  }),
  dashboardEndpoint({
    id: 'refresh',
    method: 'POST',
    path: `${API}/auth/refresh`,
    summary: 'Replace a refresh token',
    description:
      'Each refresh token works once. Within ten seconds it gives the same new pair again; later it ends the session, since somebody else may have it. A session ends after 30 days at the latest.',
    tag,
    access: 'public',
    body: z.object({ refresh_token: z.string().max(200) }).meta({ id: 'RefreshRequest' }),
    status: 200,
    response: TokenPair,
    errors: ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'ACCOUNT_INACTIVE', 'VERSION_CONFLICT'],
    handle: ({ services, request }, { body }) => refresh(services, visitorOf(request), body.refresh_token),
  }),
  dashboardEndpoint({
    id: 'logout',
    method: 'POST',
    path: `${API}/auth/logout`,
    summary: 'Sign out',
    description: 'Ends the session with all its tokens, or with `{"all": true}` every session of the user.',
    tag,
    access: signedIn,
    body: z.object({ all: z.boolean().optional() }).meta({ id: 'LogoutRequest' }),
    bodyFormat: optionalJson,
    status: 200,
    response: z.object({ logged_out: z.literal(true) }),
    async handle(context, { body }) {
      const caller = callerOf(context);
      if (body.all) await endAllSessions(context.services, caller);
      else await endSession(context.services, caller, context.principal.session_id, 'auth.logout');
      return { logged_out: true as const };
    },
  }),
  dashboardEndpoint({
    id: 'list_sessions',
    method: 'GET',
    path: `${API}/auth/sessions`,
    summary: 'List your live sessions',
    tag,
    access: signedIn,
    query: PageQuery,
    status: 200,
    response: z.array(Session),
    handle: async (context, { query }) => pagedAnswer(await listLiveSessions(context.services, callerOf(context)), query),
  }),
  dashboardEndpoint({
    id: 'revoke_session',
    method: 'POST',
    path: `${API}/auth/sessions/{session_id}/revoke`,
    summary: 'End one of your sessions',
    tag,
    access: signedIn,
    params: z.object({ session_id: Ulid }),
    body: NoMembers,
    bodyFormat: optionalJson,
    status: 200,
    response: z.object({ revoked: z.literal(true) }),
    errors: ['SESSION_NOT_FOUND'],
    async handle(context, { params }) {
      await endSession(context.services, callerOf(context), params.session_id);
      return { revoked: true as const };
    },
  }),
  dashboardEndpoint({
    id: 'revoke_all_sessions',
    method: 'POST',
    path: `${API}/auth/sessions/revoke-all`,
    summary: 'End all your sessions, this one included',
    tag,
    access: signedIn,
    body: NoMembers,
    bodyFormat: optionalJson,
    status: 200,
    response: z.object({ revoked: z.literal(true) }),
    async handle(context) {
      await endAllSessions(context.services, callerOf(context));
      return { revoked: true as const };
    },
  }),
  dashboardEndpoint({
    id: 'forgot_password',
    method: 'POST',
    path: `${API}/auth/forgot-password`,
    summary: 'Ask for a mail with a token for a new password',
    description: 'The answer is the same for every address, and takes the same time.',
    tag,
    access: 'public',
    body: z.object({ email: Email }).meta({ id: 'ForgotPasswordRequest' }),
    status: 200,
    response: z.object({ requested: z.literal(true) }),
    errors: ['RATE_LIMIT_EXCEEDED'],
    async handle({ services, request }, { body }) {
      await requestPasswordReset(services, visitorOf(request), body.email);
      return { requested: true as const };
    },
  }),
  dashboardEndpoint({
    id: 'reset_password',
    method: 'POST',
    path: `${API}/auth/reset-password`,
    summary: 'Set a new password with the token of a mail',
    description: 'Ends all sessions of the user. The token works once, for one hour.',
    tag,
    access: 'public',
    body: z.object({ token: z.string().max(200), password: NewPassword }).meta({ id: 'ResetPasswordRequest' }),
    status: 200,
    response: z.object({ reset: z.literal(true) }),
    errors: ['RESET_TOKEN_INVALID', 'VERSION_CONFLICT'],
    async handle({ services, request }, { body }) {
      await resetPassword(services, visitorOf(request), body.token, body.password);
      return { reset: true as const };
    },
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
