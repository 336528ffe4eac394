import type { Key } from '../../platform/database/database.ts';

/**
 * The part of the identity table that belongs to accounts: users, organizations, projects, API keys.
 *
 * | who asks                           | what                              | where                                       | cost          |
 * | ---------------------------------- | --------------------------------- | ------------------------------------------- | ------------- |
 * | every dashboard call, each 5 s     | the user and the session          | `USER#<id>` `USER`, `SESSION#<id>`          | 2 read units  |
 * | every dashboard call               | the caller's role                 | `ORG#<id>` `MEMBER#<user>`                  | 1             |
 * | login                              | the user of an address            | `EMAIL#<address>` `EMAIL`                   | 1, and the user |
 * | refresh                            | the session of a token            | `REFRESH#<hash>` `REFRESH`                  | 1, and the session |
 * | sessions of a user                 | newest first                      | `USER#<id>` `SESSION#`                      | 1 query       |
 * | password reset                     | the user of a token               | `RESET#<hash>` `RESET`                      | 1             |
 * | login, forgotten password          | tries of an address or a network  | `TRIES#<what>#<whose>` `<window>`           | 1 write       |
 * | organizations of a user            | all (100 at most)                 | `USER#<id>` `MEMBERSHIP#`                   | 1 query, 1 unit each |
 * | an organization: get               | one                               | `ORG#<id>` `ORG`                            | 1             |
 * | members of an organization         | all (500 at most)                 | `ORG#<id>` `MEMBER#`                        | 1 query, 1 unit each |
 * | invitations of an organization     | all (200 at most)                 | `ORG#<id>` `INVITATION#`                    | 1 query       |
 * | accept an invitation               | the invitation of a token         | `INVITED#<hash>` `INVITED`                  | 1             |
 * | projects of an organization        | all (500 at most)                 | `ORG#<id>` `PROJECT#`                       | 1 query, 1 unit each |
 * | a project: get; its settings       | one                               | `PROJECT#<id>` `PROJECT`                    | 1             |
 * | every inference call, each 5 s     | the key, its project and plan     | `APIKEY#<hash>` `APIKEY`, then `PROJECT`, `ORG` | 3         |
 * | keys of a project                  | all (200 at most)                 | `PROJECT#<id>` `KEY#`                       | 1 query, 1 unit each |
 * | a key: delete, change              | its hash                          | `KEY#<id>` `KEY`                            | 1, and the key |
 * | create, rename                     | is the name or slug free?         | `SLUG#ORG`, `ORG#<id>`, `PROJECT#<id>`      | in the write  |
 * | creates with an Idempotency-Key    | was it done before?               | `IDEMPOTENT#<caller>#<hash>` `RESULT`       | 1             |
 *
 * What anonymous callers can cause to be written (`TRIES`, `RESET`) has partitions of its own and expires.
 */
export const userKey = (id: string): Key => ({ pk: `USER#${id}`, sk: 'USER' });
export const emailKey = (email: string): Key => ({ pk: `EMAIL#${email}`, sk: 'EMAIL' });
export const sessionPrefix = 'SESSION#';
export const userPk = (id: string): string => `USER#${id}`;
export const sessionKey = (userId: string, id: string): Key => ({ pk: userPk(userId), sk: `${sessionPrefix}${id}` });
export const refreshKey = (hash: string): Key => ({ pk: `REFRESH#${hash}`, sk: 'REFRESH' });
export const resetKey = (hash: string): Key => ({ pk: `RESET#${hash}`, sk: 'RESET' });
export const triesKey = (what: string, whose: string, window: number): Key => ({ pk: `TRIES#${what}#${whose}`, sk: String(window) });

export const membershipPrefix = 'MEMBERSHIP#';
export const membershipKey = (userId: string, organizationId: string): Key => ({
  pk: userPk(userId),
  sk: `${membershipPrefix}${organizationId}`,
});
export const organizationPk = (id: string): string => `ORG#${id}`;
export const organizationKey = (id: string): Key => ({ pk: organizationPk(id), sk: 'ORG' });
export const organizationSlugKey = (slug: string): Key => ({ pk: 'SLUG#ORG', sk: slug });
export const memberPrefix = 'MEMBER#';
export const memberKey = (organizationId: string, userId: string): Key => ({
  pk: organizationPk(organizationId),
  sk: `${memberPrefix}${userId}`,
});
export const invitationPrefix = 'INVITATION#';
export const invitationKey = (organizationId: string, id: string): Key => ({
  pk: organizationPk(organizationId),
  sk: `${invitationPrefix}${id}`,
});
export const invitedKey = (hash: string): Key => ({ pk: `INVITED#${hash}`, sk: 'INVITED' });

export const projectPrefix = 'PROJECT#';
export const projectKey = (id: string): Key => ({ pk: `PROJECT#${id}`, sk: 'PROJECT' });
export const projectEdgeKey = (organizationId: string, id: string): Key => ({
  pk: organizationPk(organizationId),
  sk: `${projectPrefix}${id}`,
});
export const projectSlugKey = (organizationId: string, slug: string): Key => ({
  pk: organizationPk(organizationId),
  sk: `PROJECTSLUG#${slug}`,
});

export const projectPk = (id: string): string => `PROJECT#${id}`;
export const keyEdgePrefix = 'KEY#';
export const apiKeyKey = (hash: string): Key => ({ pk: `APIKEY#${hash}`, sk: 'APIKEY' });
export const keyIdKey = (id: string): Key => ({ pk: `KEY#${id}`, sk: 'KEY' });
export const keyEdgeKey = (projectId: string, id: string): Key => ({ pk: projectPk(projectId), sk: `${keyEdgePrefix}${id}` });
export const keyNameKey = (projectId: string, name: string): Key => ({ pk: projectPk(projectId), sk: `KEYNAME#${name}` });

export const idempotencyKey = (caller: string, hash: string): Key => ({ pk: `IDEMPOTENT#${caller}#${hash}`, sk: 'RESULT' });
