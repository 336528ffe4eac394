import * as z from 'zod';
import { AppError } from '../platform/errors.ts';

/** A caller on the fleet's surface. Admins may do everything, an agent acts for one cluster, a generator owns stacks and is the tenant. */
export type Principal = AdminPrincipal | AgentPrincipal | GeneratorPrincipal;
export type AdminPrincipal = { type: 'admin' };
export type AgentPrincipal = { type: 'agent'; id: string; item: AgentAccount };
export type GeneratorPrincipal = { type: 'generator'; id: string };

/**
 * The calling agent's record. Admission has just read it, strongly consistent, so that handlers need not read it again. An idle poll
 * costs this one read.
 */
export interface AgentAccount {
  revision: string;
  status: string;
  [field: string]: unknown;
}

export const PrincipalType = z.enum(['admin', 'agent', 'generator']);
export type PrincipalType = z.infer<typeof PrincipalType>;

/** A rule for each kind of principal. The compiler asks for a new kind in every rule. */
export interface ByPrincipal<T> {
  admin: (principal: AdminPrincipal) => T;
  agent: (principal: AgentPrincipal) => T;
  generator: (principal: GeneratorPrincipal) => T;
}

/** Applies the rule for the principal's kind. Nothing else looks at the kind. An unknown kind is refused. */
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
