import { afterAll, beforeAll, describe } from '@jest/globals';
import type { ContractStore } from './contract-store.ts';
import { costsContract } from './costs-contract.ts';
import { readsContract } from './reads-contract.ts';
import { transactionsContract } from './transactions-contract.ts';
import { valuesContract } from './values-contract.ts';
import { writesContract } from './writes-contract.ts';

/**
 * The promises on which the product relies. Every engine behind the Database port has to keep them: the embedded one, the official
 * DynamoDB Local, and DynamoDB itself. docs/decisions/0005-engine-differences.md says how engines differ.
 */
export function databaseContract(open: () => Promise<ContractStore>): void {
  let store: ContractStore | undefined;
  const current = (): ContractStore => {
    if (!store) throw new Error('the store is not open');
    return store;
  };
  beforeAll(async () => {
    store = await open();
  }, 60_000);
  afterAll(() => store?.close());

  describe('reads', () => readsContract(current));
  describe('values', () => valuesContract(current));
  describe('writes', () => writesContract(current));
  describe('transactions', () => transactionsContract(current));
  describe('costs', () => costsContract(current));
}
