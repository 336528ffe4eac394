import { AppError } from '../../platform/errors.ts';

/** A caller of the dashboard: a user with a session. Rights are looked up for each organization, never taken from the token. */
export interface UserPrincipal {
  type: 'user';
  user_id: string;
  email: string;
  session_id: string;
  token_id: string;
  /** The organization that a request without one means. */
  default_organization_id: string;
}

/** A caller of the inference API: one key of one project. */
export interface ProjectKeyPrincipal {
  type: 'project-key';
  key_id: string;
  key_name: string;
  project_id: string;
  organization_id: string;
  plan: string;
  scopes: readonly string[];
  /** The plan's limit, or the key's own if it is lower. */
  requests_per_minute: number;
  tokens_per_minute: number | null;
  expires_at_ms: number | null;
}

/** A rule for each kind of caller of an endpoint that serves users and project keys alike. */
export interface ByAccountPrincipal<T> {
  user: (principal: UserPrincipal) => T;
  projectKey: (principal: ProjectKeyPrincipal) => T;
}

/** Applies the rule for the caller's kind. Nothing else looks at the kind. An unknown kind is refused. */
export function decideForAccount<T>(principal: UserPrincipal | ProjectKeyPrincipal, rules: ByAccountPrincipal<T>): T {
  switch (principal.type) {
    case 'user':
      return rules.user(principal);
    case 'project-key':
      return rules.projectKey(principal);
    default:
      return refuseUnknown(principal);
  }
}

function refuseUnknown(_principal: never): never {
  throw new AppError('forbidden', 'forbidden');
}

export const SCOPES = ['read:metrics', 'write:routing', 'write:completions', 'write:embeddings', 'read:models', 'write:telemetry'] as const;
export type Scope = (typeof SCOPES)[number];
