import type { Database } from '../../platform/database/database.ts';
import { inKeyOrder } from '../../platform/database/key-order.ts';
import { type ListPage, type PageRequest, readPage } from '../../platform/list-page.ts';
import { fleetTable, generatorAgentKey, generatorPk } from '../fleet-table.ts';
import { Registration } from './registration-repository.ts';

/** A generator's registrations in the order of its agents' ids. */
export const registrationEdges = (database: Database, generatorId: string, after?: string) =>
  inKeyOrder(database, fleetTable.name, { pks: [generatorPk(generatorId)], prefix: generatorAgentKey('', '').sk, after });

export const listRegistrationsOfGenerator = (database: Database, generatorId: string, page: PageRequest): Promise<ListPage<Registration>> =>
  readPage(registrationEdges(database, generatorId, page.cursor), page, (item) => Registration.parse(item));
