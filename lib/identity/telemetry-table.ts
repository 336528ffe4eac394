import type { Key } from '../platform/database/database.ts';
import type { Table } from '../platform/database/table.ts';

/**
 * The telemetry table: what happened. Everything in it expires.
 *
 * | who asks                         | what                         | where                                  | cost              |
 * | -------------------------------- | ---------------------------- | -------------------------------------- | ----------------- |
 * | audit log                        | a day, newest first          | `AUDIT#<day>` `<time>#<id>`            | 1 query a day     |
 * | audit log of one resource        | newest first                 | `AUDITED#<resource>` `<time>#<id>`     | 1 query           |
 * | agent events: get, or many       | one                          | `EVENT#<id>` `EVENT`                   | 1 each            |
 * | agent events: all                | a day, newest first          | `EVENTS#<day>` `<time>#<id>`           | 1 query a day     |
 * | agent events of an agent         | newest first                 | `EVENTS#AGENT#<agent>` `<time>#<id>`   | 1 query           |
 * | agent events on an object        | newest first                 | `EVENTS#OBJECT#<object>` `<time>#<id>` | 1 query           |
 */
export const telemetryTable: Table = { name: 'telemetry', timeToLive: true };

/** `2026-01-31` of an RFC 3339 time. */
export const dayOf = (time: string): string => time.slice(0, 10);
const stamped = (time: string, id: string) => `${time}#${id}`;

export const auditDayPk = (day: string): string => `AUDIT#${day}`;
export const auditDayKey = (time: string, id: string): Key => ({ pk: auditDayPk(dayOf(time)), sk: stamped(time, id) });
export const auditResourcePk = (resourceId: string): string => `AUDITED#${resourceId}`;
export const auditResourceKey = (resourceId: string, time: string, id: string): Key => ({
  pk: auditResourcePk(resourceId),
  sk: stamped(time, id),
});

export const eventKey = (id: string): Key => ({ pk: `EVENT#${id}`, sk: 'EVENT' });
export const eventDayPk = (day: string): string => `EVENTS#${day}`;
export const eventAgentPk = (agentId: string): string => `EVENTS#AGENT#${agentId}`;
export const eventObjectPk = (objectId: string): string => `EVENTS#OBJECT#${objectId}`;
export const eventSk = stamped;
