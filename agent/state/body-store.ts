import { createHash } from 'node:crypto';
import type { Log } from '../../lib/platform/log.ts';
import { type ControlPlane, ControlPlaneError } from '../control-plane/control-plane.ts';
import type { DeploymentRef } from '../control-plane/stack-assignment.ts';
import type { StateFiles } from './state-files.ts';

/** Beyond this many characters on disk nothing more is kept; it is fetched again when it is needed. */
const KEPT_CHARACTERS_MAX = 256 * 1024 * 1024;
const CHECKSUM = /^[0-9a-f]{64}$/;

/** YAML by its checksum: from disk, else from the control plane. What doesn't hash to its checksum is never handed out. */
export interface BodyStore {
  /** The YAML of a stack's deployment object. Rejects with a ControlPlaneError. */
  get(stackId: string, deployment: DeploymentRef, signal?: AbortSignal): Promise<string>;
  /** Drops what no assignment needs any more. */
  keepOnly(checksums: ReadonlySet<string>): Promise<void>;
}

export function createBodyStore({ files, controlPlane, log }: { files: StateFiles; controlPlane: ControlPlane; log: Log }): BodyStore {
  let kept: Map<string, number> | undefined;
  const name = (checksum: string) => `bodies/${checksum}`;

  async function fromDisk(checksum: string): Promise<string | undefined> {
    try {
      const text = await files.read(name(checksum));
      if (text === undefined || checksumOf(text) === checksum) return text;
      log.warn('kept_body_is_damaged', { checksum });
    } catch (error) {
      log.warn('kept_body_unreadable', { checksum, error });
    }
    return undefined;
  }

  async function keep(checksum: string, text: string): Promise<void> {
    try {
      kept ??= new Map((await files.list('bodies')).map((found) => [found, 0]));
      const characters = [...kept.values()].reduce((sum, length) => sum + length, 0);
      if (characters + text.length > KEPT_CHARACTERS_MAX) return;
      await files.write(name(checksum), text);
      kept.set(checksum, text.length);
    } catch (error) {
      log.warn('body_not_kept', { checksum, error });
    }
  }

  return {
    async get(stackId, { objectId: id, checksum }, signal) {
      if (!CHECKSUM.test(checksum))
        throw new ControlPlaneError('unreadable', `deployment object ${id}: "${checksum.slice(0, 80)}" is no SHA-256`);
      const own = await fromDisk(checksum);
      if (own !== undefined) return own;
      const object = await controlPlane.deploymentObject(id, signal);
      if (object.stack_id !== stackId)
        throw new ControlPlaneError('unreadable', `deployment object ${id} belongs to another stack than was assigned`);
      const actual = checksumOf(object.yaml_content);
      if (actual !== checksum)
        throw new ControlPlaneError('unreadable', `deployment object ${id}: its YAML hashes to ${actual}, assigned was ${checksum}`);
      await keep(checksum, object.yaml_content);
      return object.yaml_content;
    },
    async keepOnly(checksums) {
      try {
        for (const found of await files.list('bodies')) {
          if (checksums.has(found)) continue;
          await files.remove(name(found));
          kept?.delete(found);
        }
      } catch (error) {
        log.warn('bodies_not_dropped', { error });
      }
    },
  };
}

export const checksumOf = (text: string): string => createHash('sha256').update(text).digest('hex');
