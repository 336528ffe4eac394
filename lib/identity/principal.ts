import * as z from 'zod';
import { AppError } from '../platform/errors.ts';

/** Who is asking on the fleet's surface. Admins may do everything, agents act for one cluster, generators own stacks: a generator is the tenant. */
export type Principal = AdminPrincipal | AgentPrincipal | GeneratorPrincipal;
export type AdminPrincipal = { type: 'admin' };
export type AgentPrincipal = { type: 'agent'; id: string; item: AgentAccount };
export type GeneratorPrincipal = { type: 'generator'; id: string };

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

/** What each kind of principal may do. A kind that is added must be named in every rule: the compiler says so. */
export interface ByPrincipal<T> {
  admin: (principal: AdminPrincipal) => T;
  agent: (principal: AgentPrincipal) => T;
  generator: (principal: GeneratorPrincipal) => T;
}

/** Decides by the kind of principal: the one place that tells them apart. A kind that nobody knows is refused. */
export function decideFor<T>(principal: Principal, rules: ByPrincipal<T>): T {
  switch (principal.type) {
    case 'admin':
      return rules.admin(principal);
    case 'agent':
      return rules.agent(principal);
    case 'generator':
      return rules.generator(principal);
    default:
      return refuseUnknown(principal);
  }
}

function refuseUnknown(_principal: never): never {
  throw new AppError('forbidden', 'forbidden');
}

/** The principal as logs and audit entries name it. */
export const principalReference = (principal: Principal): { type: PrincipalType; id?: string } =>
  decideFor<{ type: PrincipalType; id?: string }>(principal, {
    admin: ({ type }) => ({ type }),
    agent: ({ type, id }) => ({ type, id }),
    generator: ({ type, id }) => ({ type, id }),
  });
