import { dashboardError } from '../../../identity/accounts/dashboard-errors.ts';
import { AppError } from '../../../platform/errors.ts';
import type { PlanRequest, RoutingPlan } from '../plan-types.ts';
import type { ProjectSettings } from '../project-settings.ts';
import type { InOrganization, RoutingPorts } from '../routing-ports.ts';
import { decisionPut, findDecision } from './decision-repository.ts';
import { decisionOf, type ReplayWishes, type RoutingDecision, recommended, replayDecision } from './routing-decision.ts';

/** What a decision needs of the world. */
export interface DecisionPorts extends Pick<RoutingPorts, 'clock' | 'commit'> {
  plan(request: PlanRequest, settings: ProjectSettings): RoutingPlan;
}

/** Decides what a call like this would do, and keeps the decision. Nothing is asked of a provider. */
export async function decideRoute(
  { plan, clock, commit }: DecisionPorts,
  settings: ProjectSettings,
  request: PlanRequest,
): Promise<{ decision: RoutingDecision; plan: RoutingPlan }> {
  const made = plan(request, settings);
  const decision = decisionOf(made, request, settings, clock.nowMs());
  if (recommended(decision).length === 0) {
    const candidates = decision.candidates.map(({ provider, model, excluded, avoided }) => ({ provider, model, why: excluded ?? avoided }));
    throw new AppError('unavailable', made.reason, { code: 'no_provider_available', details: { candidates } });
  }
  await commit({ writes: [decisionPut(decision)], audit: { unaudited: 'a decision changes nothing' } });
  return { decision, plan: made };
}

export async function getDecision({ database, clock }: RoutingPorts, caller: InOrganization, id: string): Promise<RoutingDecision> {
  const decision = await findDecision(database, caller.organization_id, id, clock.nowMs());
  if (!decision) throw dashboardError('DECISION_NOT_FOUND');
  return decision;
}

export const replay = async (ports: RoutingPorts, caller: InOrganization, id: string, wishes: ReplayWishes): Promise<RoutingDecision> =>
  replayDecision(await getDecision(ports, caller, id), wishes);
