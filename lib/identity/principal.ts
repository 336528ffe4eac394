import * as z from 'zod';

/** Who is asking. Admins may do everything, agents act for one cluster, generators own stacks: a generator is the tenant. */
export type Principal = { type: 'admin' } | { type: 'agent'; id: string; item: AgentAccount } | { type: 'generator'; id: string };

/**
 * What admission has just read of the calling agent, strongly consistent: its handlers need not read it again. The idle poll
 * lives on this one read.
 */
export interface AgentAccount {
  revision: string;
  status: string;
  [field: string]: unknown;
}

export const PrincipalType = z.enum(['admin', 'agent', 'generator']);
export type PrincipalType = z.infer<typeof PrincipalType>;
