import type { ProjectKeyPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { createKeyAuthenticator } from '../../lib/identity/api-keys/key-authenticator.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { oncePerRuntime } from '../runtime.ts';
import { store } from '../store.ts';

/** This process's memory of API keys. All functions of a process share it, so that a key revoked by one is refused by all at once. */
export const projectKeys = oncePerRuntime((runtime) => createKeyAuthenticator({ database: store(runtime).database, clock: runtime.clock }));

/** The project key that a request of the inference API carries. */
export const authenticateProjectKey = (request: Pick<RequestFacts, 'headers'>): Promise<ProjectKeyPrincipal> =>
  projectKeys().authenticate(request);
