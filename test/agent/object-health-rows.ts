import { describe, expect, test } from '@jest/globals';
import type { LiveObject } from '../../agent/cluster/cluster.ts';
import { type HealthContext, type HealthStatus, objectHealth } from '../../agent/reconcile/health/object-health.ts';

interface Parts {
  metadata?: Record<string, unknown>;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}
type Row = [promise: string, parts: Parts, status: HealthStatus, message?: string, context?: HealthContext];

export const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message });
export const waiting = (reason: string, message?: string) => [{ name: 'web', state: { waiting: { reason, message } } }];

export function object(apiVersion: string, kind: string, { metadata, ...parts }: Parts): LiveObject {
  return {
    apiVersion,
    kind,
    metadata: { name: 'one', namespace: 'shop', uid: 'u', resourceVersion: '7', generation: 2, ...metadata },
    ...parts,
  };
}

/** Runs rows about the health of one kind of object: each row has a promise and the object that it is about. */
export function kind(apiVersion: string, name: string, rows: Row[]): void {
  describe(name, () => {
    // One argument each: what a row lacks would be filled in with jest's own callback.
    test.each(rows.map((row) => ({ promise: row[0], row })))('$promise', ({ row: [, parts, status, message, context] }) => {
      expect(objectHealth(object(apiVersion, name, parts), context)).toEqual({ status, ...(message !== undefined && { message }) });
    });
  });
}

export const seen = { observedGeneration: 2 };
export const UNSEEN = 'its controller has not seen this change yet';
