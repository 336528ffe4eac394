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

export const SCOPES = ['read:metrics', 'write:routing', 'write:completions', 'write:embeddings', 'read:models', 'write:telemetry'] as const;
export type Scope = (typeof SCOPES)[number];
