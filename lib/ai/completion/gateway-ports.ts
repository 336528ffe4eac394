import type { ProjectKeyPrincipal } from '../../identity/accounts/account-principals.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { OutgoingAnswer, OutgoingRequest } from '../../platform/outgoing/outgoing-client.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { SimilarAnswers } from '../cache/similar-answers.ts';
import type { Reservation, ReservationRequest } from '../limits/limits.ts';
import type { Adapter, ProviderType, Target } from '../providers/adapter.ts';
import type { RecordOutbox } from '../records/record-outbox.ts';
import type { HealthSample } from '../routing/health/health-sample.ts';
import type { PlanRequest, ProviderHealth, RoutingPlan } from '../routing/plan-types.ts';
import type { BudgetReference, ProjectSettings } from '../routing/project-settings.ts';
import type { ProviderMemory } from './attempts/provider-memory.ts';

/** Everything that a call needs of the world. */
export interface GatewayPorts {
  clock: Clock;
  log: Log;
  /** A number in [0, 1), for jitter and weighted choices. */
  random(): number;
  /** Sends a request to a provider. The simulated provider answers inside the process. */
  send(target: Target, request: OutgoingRequest): Promise<OutgoingAnswer>;
  adapterFor(type: ProviderType): Adapter;
  settingsOf(projectId: string): Promise<ProjectSettings>;
  /** Health of an organization's providers, seconds old at the most. Reads nothing. */
  healthOf(organizationId: string): ReadonlyMap<string, ProviderHealth>;
  plan(request: PlanRequest, settings: ProjectSettings, health: ReadonlyMap<string, ProviderHealth>, random: () => number): RoutingPlan;
  /** Reserves in all budgets, or throws `quota_exceeded` with the exact numbers. */
  reserve(request: ReservationRequest, budgets: readonly BudgetReference[], principal: ProjectKeyPrincipal): Promise<Reservation>;
  /** Answers that were given before; no call uses it unless it or its project asks for it. */
  cache?: AnswerCache;
  /** Questions by their meaning, for the semantic cache. */
  similarAnswers?: SimilarAnswers;
  records: RecordOutbox;
  memory: ProviderMemory;
  /** Seals a text that must be shown again. */
  seal(text: string, associated: string): Promise<string>;
  /** Waits for work after an answer where the process may be frozen then; otherwise lets it run, and logs its failure. */
  afterAnswer(work: Promise<unknown>): Promise<void>;
  /** Tells this process's view of health at once; the other instances learn it from the store. */
  observe?(sample: HealthSample): void;
}
