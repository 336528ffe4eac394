import * as z from 'zod';
import { defineEvent, type Occurrence, occurrence } from '../../platform/events/domain-event.ts';

/** A removal whose remains are to be cleared away. Callers no longer see these remains. */
export const AccountRemoval = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('organization'), organization_id: z.string() }),
  z.object({ kind: z.literal('api-key'), organization_id: z.string(), key_id: z.string() }),
  z.object({ kind: z.literal('project'), organization_id: z.string(), project_id: z.string() }),
]);
export type AccountRemoval = z.infer<typeof AccountRemoval>;

export const accountRemoved = defineEvent({ name: 'account.removed', schema: AccountRemoval });
export const ACCOUNT_CLEAN_UP_QUEUE = 'account-clean-up';

/** The removal as an event, for the commit that stores it. */
export const announceRemoval = (removal: AccountRemoval): Occurrence<AccountRemoval> => occurrence(accountRemoved, removal);
