import { randomUUID } from 'node:crypto';
import { type Answer, type Api, api } from '../harness/client.ts';

/** What a test needs of a host: its address, or a client below `/api/v1`. */
export type AccountHost = { url: string } | { anonymous: Api };
const anonymousOf = (host: AccountHost): Api => ('anonymous' in host ? host.anonymous : api(host.url));

export interface Account {
  id: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
  organizationId: string;
  /** A client with the user's token, below `/api/v1`. Each answer's `body` is the whole envelope. */
  api: Api;
}

export const PASSWORD = 'correct horse battery';
export const uniqueEmail = (name = 'user'): string => `${name}-${randomUUID().slice(0, 8)}@example.com`;

/** A new user with an organization of his own, signed in. */
export async function makeAccount(
  host: AccountHost,
  given: { email?: string; name?: string; organization_name?: string } = {},
): Promise<Account> {
  const email = given.email ?? uniqueEmail();
  const registered = await anonymousOf(host).post('/auth/register', {
    email,
    name: given.name ?? 'Test User',
    password: PASSWORD,
    ...given,
  });
  const { user, token, refresh_token, organization } = data(registered);
  return {
    id: user.id,
    email,
    password: PASSWORD,
    token,
    refreshToken: refresh_token,
    organizationId: organization.id,
    api: anonymousOf(host).as(`Bearer ${token}`),
  };
}

/** The data of an answer that has to be a success. */
export function data({ status, text, body }: Answer) {
  if (status >= 300 || body?.success !== true) throw new Error(`status ${status}: ${text}`);
  return body.data;
}

/** Status, type and code of a refusal. */
export const refusal = ({ status, body }: Answer) => ({ status, type: body?.error?.type, code: body?.error?.code });
