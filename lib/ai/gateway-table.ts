import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The gateway table: how an organization's calls are routed, and what is known about its providers.
 *
 * | who asks                          | what                                  | where                                   | cost              |
 * | --------------------------------- | ------------------------------------- | --------------------------------------- | ----------------- |
 * | settings of a project, each 5 s   | all configuration of an organization  | `ORGANIZATION#<org>`                    | 1 query, 1 unit for each 4 KB |
 * | providers: get, change            | one                                   | `ORGANIZATION#<org>` `PROVIDER#<id>`    | 1                 |
 * | providers, groups, prices: list   | all of a kind                         | `ORGANIZATION#<org>` `<KIND>#`          | 1 query           |
 * | groups, prices, budgets: get      | one                                   | `ORGANIZATION#<org>` `<KIND>#<id>`      | 1                 |
 * | routing policy of a project       | one                                   | `ORGANIZATION#<org>` `POLICY#<project>` | 1                 |
 * | a new entry of configuration      | how many entries are there?           | `ORGANIZATION#<org>`                    | 1 count           |
 * | decisions: get, replay            | one, for 7 days                       | `DECISION#<id>` `DECISION`              | 1 for each 4 KB   |
 * | health of an organization, 2 s    | all its providers                     | `HEALTH#<org>`                          | 1 query           |
 * | health of one provider, each 2 s  | counts that one instance adds         | `HEALTH#<org>` `<provider>`             | 1 update          |
 * | a call with a cache               | an answer that was given before       | `CACHE#<project>#<key>` `ANSWER`        | 1 for each 4 KB, 1 write unit for each KB |
 * | a call with a semantic cache      | the newest 32 questions that differ in one text | `SIMILAR#<project>#<fingerprint>` `<time>#<hash>` | 1 query, 14 units for 1,536 dimensions |
 *
 * The configuration of an organization is one partition with at most CONFIGURATION_LIMIT entries, so that the settings of a project are
 * one query. It is written by people and read every few seconds by each instance, far below what a partition takes. Each provider of an
 * organization is one item of its health, which instances update at most every two seconds.
 */
export const gatewayTable: Table = { name: 'gateway', timeToLive: true };

/** The most entries of configuration (providers, groups, prices, budgets, policies) that an organization can have. */
export const CONFIGURATION_LIMIT = 1_000;

export type ConfigurationKind = 'PROVIDER' | 'GROUP' | 'PRICE' | 'BUDGET' | 'POLICY';

export const configurationPk = (organizationId: string): string => `ORGANIZATION#${organizationId}`;
export const configurationPrefix = (kind: ConfigurationKind): string => `${kind}#`;
/** One entry of configuration. The id of a policy is its project's. */
export const configurationKey = (organizationId: string, kind: ConfigurationKind, id: string): Key => ({
  pk: configurationPk(organizationId),
  sk: `${configurationPrefix(kind)}${id}`,
});

export const decisionKey = (id: string): Key => ({ pk: `DECISION#${id}`, sk: 'DECISION' });

export const healthPk = (organizationId: string): string => `HEALTH#${organizationId}`;
export const healthKey = (organizationId: string, providerId: string): Key => ({ pk: healthPk(organizationId), sk: providerId });

/** `key` is the hash of everything that the answer depends on. */
export const cachedAnswerKey = (projectId: string, key: string): Key => ({ pk: `CACHE#${projectId}#${key}`, sk: 'ANSWER' });

export const similarPk = (projectId: string, fingerprint: string): string => `SIMILAR#${projectId}#${fingerprint}`;
/** Sorted by time, so that the newest ones are read first. */
export const similarKey = (projectId: string, fingerprint: string, nowMs: number, answer: string): Key => ({
  pk: similarPk(projectId, fingerprint),
  sk: `${String(nowMs).padStart(15, '0')}#${answer}`,
});
