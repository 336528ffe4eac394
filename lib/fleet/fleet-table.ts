import { createHash } from 'node:crypto';
import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The fleet table: what should run where.
 *
 * | needed for                        | what is read                        | where                                         | cost            |
 * | --------------------------------- | ----------------------------------- | --------------------------------------------- | --------------- |
 * | every agent call, the idle poll   | the agent with its revision         | `AGENTS#0..3` `<id>`                          | 1 read unit     |
 * | agents: list                      | all agents, by id                   | `AGENTS#0..3`                                 | 4 queries, 1 more for each 200 |
 * | agents: search, create, rename    | an agent's name in its cluster      | `NAME#AGENT#<hash of both>` `NAME`            | 1               |
 * | whole look, withdrawal            | an agent's labels, annotations, registrations | `AGENT#<id>` `SELECTORS`            | 1               |
 * | withdrawal                        | a stack's labels, annotations; there as long as the stack | `STACK#<id>` `SELECTORS` | 1            |
 * | whole look; lists of one agent    | its targets, labels, annotations, registrations | `AGENT#<id>` `SELECT#…`           | 1 query each    |
 * | whole look                        | a generator's stacks by label, annotation, with their heads | `MATCH#<generator>#…` `<stack>` | 1 query each, 50 for 1,000 |
 * | stacks: get; heads of many        | the stack with its head             | `STACKS` `<id>`                               | 1 each          |
 * | stacks: list                      | all stacks, by id                   | `STACKS`                                      | 1 query for each 200 |
 * | a generator's stacks              | the stacks' names                   | `GENERATOR#<id>` `STACK#<name>`               | 1 query         |
 * | notify: agents of a stack         | agents with an explicit target      | `STACK#<id>` `TARGET#<agent>`                 | 1 query         |
 * | notify: agents of a selector      | a generator's registered agents with a label, an annotation | `AGENTMATCH#<generator>#…` `<agent>` | 1 query each |
 * | clear away a removed stack        | agents that reported on it          | `STACK#<id>` `REPORTER#<agent>`               | 1 query         |
 * | a generator's agents              | registrations                       | `GENERATOR#<id>` `AGENT#<agent>`              | 1 query         |
 * | a stack's labels, annotations     | labels and annotations              | `STACK#<id>` `LABEL#…`, `ANNOTATION#…`        | 1 query         |
 * | a stack's deployment objects      | their ids, newest first             | `STACK#<id>` `OBJECT#<sequence>`              | 1 query + 1 each |
 * | a deployment object               | head and body                       | `OBJECT#<id>` `HEAD`, `BODY#<n>`              | 1 query         |
 * | templates: get; admins' list       | a template's head                   | `TEMPLATES` `<id>`                            | 1 each          |
 * | generators' lists of templates    | those of the system, and its own    | `GENERATOR#SYSTEM`, `GENERATOR#<id>` `TEMPLATE#<id>` | 1 query each, 1 more for each |
 * | templates: create                 | the last version of a name          | `GENERATOR#SYSTEM`, `GENERATOR#<id>` `TEMPLATENAME#<hash>` | 1   |
 * | templates: get, instantiate       | its texts, labels, annotations      | `TEMPLATE#<id>` `CONTENT#<n>`, `SCHEMA#<n>`, `LABEL#…`, `ANNOTATION#…` | 1 query |
 * | a deployment object's provenance  | template and parameters             | `OBJECT#<id>` `PROVENANCE`                    | 1               |
 * | whole look, changed stacks, confirmed removal | a stack that the agent was told of | `AGENT#<id>` `TOLD#<stack>`       | 1 each, 50 for 1,000 |
 * | metrics                           | the fleet in figures                | `SUMMARY` `FLEET`                             | 1; every 30 s all agents and stacks |
 * | agent reports                     | an agent's latest report on a stack | `AGENT#<id>` `RESULT#<stack>`                 | 1               |
 *
 * One transaction removes the home of a stack, an agent or a generator, and with it the thing. A consumer clears away the items in its
 * partition and the edges that lead to it (lib/fleet/removal). Heads of deployment objects expire: `expires_at`, tested on every read.
 *
 * An entity's home is its item in the list of its type: one item serves the read by id and the list. The sort keys are random ids, so
 * DynamoDB splits a partition by sort key if it grows hot. Agents have four from the start, in the order of their ids: polls,
 * heartbeats and moved revisions are most of the traffic (docs/decisions/0003-keys.md, 0011-lists.md).
 */
export const fleetTable: Table = { name: 'fleet', timeToLive: true };

/** Encodes a user's text in the middle of a key, so that one text never looks like two parts. */
const part = encodeURIComponent;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** Sixteen digits hold every safe integer, and sort as numbers do. */
const padded = (sequence: number) => String(sequence).padStart(16, '0');

/** Ids are divided into four quarters by their first digit. */
const quarterOf = (id: string) => Math.floor(Number.parseInt(id[0] ?? '0', 16) / 4);
export const agentKey = (id: string): Key => ({ pk: `AGENTS#${quarterOf(id)}`, sk: id });
export const agentListPks: readonly string[] = ['AGENTS#0', 'AGENTS#1', 'AGENTS#2', 'AGENTS#3'];
/** The names are hashed, because two names of 255 characters do not fit into the 1,024 bytes of a sort key. */
export const agentNameKey = (cluster: string, name: string): Key => ({
  pk: `NAME#AGENT#${sha256(`${part(cluster)}/${part(name)}`)}`,
  sk: 'NAME',
});
export const agentPk = (id: string): string => `AGENT#${id}`;
export const agentLabelKey = (id: string, label: string): Key => ({ pk: agentPk(id), sk: `SELECT#LABEL#${label}` });
export const agentAnnotationKey = (id: string, key: string): Key => ({ pk: agentPk(id), sk: `SELECT#ANNOTATION#${key}` });
export const agentTargetKey = (id: string, stackId: string): Key => ({ pk: agentPk(id), sk: `SELECT#TARGET#${stackId}` });
export const agentRegistrationKey = (id: string, generatorId: string): Key => ({
  pk: agentPk(id),
  sk: `SELECT#REGISTRATION#${generatorId}`,
});
/** One item with all labels, annotations and registrations of an agent, so that one serializable read can cover them. */
export const agentSelectorsKey = (id: string): Key => ({ pk: agentPk(id), sk: 'SELECTORS' });
export const toldKey = (id: string, stackId: string): Key => ({ pk: agentPk(id), sk: `TOLD#${stackId}` });
export const resultKey = (id: string, stackId: string): Key => ({ pk: agentPk(id), sk: `RESULT#${stackId}` });

export const STACK_LIST_PK = 'STACKS';
export const stackKey = (id: string): Key => ({ pk: STACK_LIST_PK, sk: id });
export const stackPk = (id: string): string => `STACK#${id}`;
export const stackLabelKey = (id: string, label: string): Key => ({ pk: stackPk(id), sk: `LABEL#${label}` });
export const stackAnnotationKey = (id: string, key: string): Key => ({ pk: stackPk(id), sk: `ANNOTATION#${key}` });
export const stackTargetKey = (id: string, agentId: string): Key => ({ pk: stackPk(id), sk: `TARGET#${agentId}` });
/** One item with all labels, annotations and the generator of a stack. It is there as long as the stack is. */
export const stackSelectorsKey = (id: string): Key => ({ pk: stackPk(id), sk: 'SELECTORS' });
/** Leads to the agent's `resultKey` for this stack. */
export const stackReporterKey = (id: string, agentId: string): Key => ({ pk: stackPk(id), sk: `REPORTER#${agentId}` });
export const stackDeploymentObjectKey = (id: string, sequence: number): Key => ({ pk: stackPk(id), sk: `OBJECT#${padded(sequence)}` });

export const TEMPLATE_LIST_PK = 'TEMPLATES';
export const templateKey = (id: string): Key => ({ pk: TEMPLATE_LIST_PK, sk: id });
export const templatePk = (id: string): string => `TEMPLATE#${id}`;
export const templateTextKey = (id: string, text: 'CONTENT' | 'SCHEMA', n: number): Key => ({ pk: templatePk(id), sk: `${text}#${n}` });
export const templateLabelKey = (id: string, label: string): Key => ({ pk: templatePk(id), sk: `LABEL#${label}` });
export const templateAnnotationKey = (id: string, key: string): Key => ({ pk: templatePk(id), sk: `ANNOTATION#${key}` });
/** The templates of the system have no generator. */
const SYSTEM_OWNER = 'SYSTEM';
export const templateOwnerPk = (generatorId: string | null): string => generatorPk(generatorId ?? SYSTEM_OWNER);
export const templateOwnerKey = (generatorId: string | null, id: string): Key => ({
  pk: templateOwnerPk(generatorId),
  sk: `TEMPLATE#${id}`,
});
export const templateNameKey = (generatorId: string | null, name: string): Key => ({
  pk: templateOwnerPk(generatorId),
  sk: `TEMPLATENAME#${sha256(name)}`,
});

export const generatorPk = (id: string): string => `GENERATOR#${id}`;
export const stackNameKey = (generatorId: string, name: string): Key => ({ pk: generatorPk(generatorId), sk: `STACK#${name}` });
export const generatorAgentKey = (generatorId: string, agentId: string): Key => ({ pk: generatorPk(generatorId), sk: `AGENT#${agentId}` });

/** A selector is a label, or an annotation as key and value. */
export type Selector = { label: string } | { key: string; value: string };
const selectorText = (selector: Selector) =>
  'label' in selector ? `LABEL#${part(selector.label)}` : `ANNOTATION#${part(selector.key)}=${part(selector.value)}`;
export const matchPk = (generatorId: string, selector: Selector): string => `MATCH#${generatorId}#${selectorText(selector)}`;
export const matchKey = (generatorId: string, selector: Selector, stackId: string): Key => ({
  pk: matchPk(generatorId, selector),
  sk: stackId,
});
export const agentMatchPk = (generatorId: string, selector: Selector): string => `AGENTMATCH#${generatorId}#${selectorText(selector)}`;
export const agentMatchKey = (generatorId: string, selector: Selector, agentId: string): Key => ({
  pk: agentMatchPk(generatorId, selector),
  sk: agentId,
});

export const deploymentObjectPk = (id: string): string => `OBJECT#${id}`;
export const deploymentObjectHeadKey = (id: string): Key => ({ pk: deploymentObjectPk(id), sk: 'HEAD' });
export const provenanceKey = (id: string): Key => ({ pk: deploymentObjectPk(id), sk: 'PROVENANCE' });
export const deploymentObjectBodyKey = (id: string, n: number): Key => ({ pk: deploymentObjectPk(id), sk: `BODY#${n}` });

export const FLEET_SUMMARY_KEY: Key = { pk: 'SUMMARY', sk: 'FLEET' };
