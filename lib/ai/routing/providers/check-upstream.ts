import { lookup } from 'node:dns/promises';
import { invalidField } from '../../../identity/accounts/dashboard-errors.ts';
import { type AddressPolicy, checkAddresses, checkUrl, hostOf } from '../../../platform/outgoing/address-guard.ts';
import { OutgoingFailure } from '../../../platform/outgoing/outgoing-failure.ts';

/**
 * Refuses an address that the gateway may not call, as early as its owner types it. Each connection is checked again, because a name may
 * get another address later. A name that has none yet is accepted.
 */
export async function checkUpstream(url: string, policy: AddressPolicy): Promise<void> {
  try {
    const parsed = checkUrl(url, policy);
    // A query is allowed: Azure's addresses may carry an `api-version`.
    if (parsed.hash !== '') throw invalidField('base_url', 'must have no fragment');
    const found = await lookup(hostOf(parsed), { all: true, verbatim: true }).catch(() => []);
    checkAddresses(
      found.map(({ address }) => address),
      parsed.protocol,
      policy,
    );
  } catch (error) {
    if (error instanceof OutgoingFailure) throw invalidField('base_url', error.message);
    throw error;
  }
}
