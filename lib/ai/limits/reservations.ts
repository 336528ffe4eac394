import type { ProjectKeyPrincipal } from '../../identity/accounts/account-principals.ts';
import type { Log } from '../../platform/log.ts';
import type { BudgetReference } from '../routing/project-settings.ts';
import type { Reservation, ReservationRequest } from './limits.ts';
import { type BudgetPorts, reserveBudgets } from './reserve-budgets.ts';
import { reserveTokens } from './token-limits.ts';

export interface ReservationPorts extends BudgetPorts {
  log: Pick<Log, 'error'>;
}

export type Reserve = (
  request: ReservationRequest,
  /** The budgets that limit this call. */
  budgets: readonly BudgetReference[],
  caller: Pick<ProjectKeyPrincipal, 'organization_id' | 'key_id' | 'tokens_per_minute'>,
) => Promise<Reservation>;

/** Reserves a call's tokens and its cost wherever something limits them: everywhere, or nowhere. */
export const createReservations =
  (ports: ReservationPorts): Reserve =>
  async ({ request_id, cost_pico_usd, tokens, lease_ms }, budgets, { organization_id, key_id, tokens_per_minute }) => {
    const reserved = tokens_per_minute === null ? undefined : await reserveTokens(ports, key_id, tokens_per_minute, tokens);
    const noteFailure = (error: unknown) => {
      // The lease returns what is reserved. What the call has spent is then missing in the budget.
      ports.log.error('reservation_not_settled', { request_id, organization: organization_id, error });
    };
    try {
      const money = await reserveBudgets(ports, organization_id, budgets, cost_pico_usd, lease_ms);
      let settled = false;
      return {
        ...(reserved && { tokens: reserved.state }),
        async settle(actual) {
          if (settled) return;
          settled = true;
          await Promise.all([reserved?.settle(actual.tokens).catch(noteFailure), money.settle(actual.cost_pico_usd).catch(noteFailure)]);
        },
      };
    } catch (error) {
      await reserved?.settle(0).catch(noteFailure);
      throw error;
    }
  };
