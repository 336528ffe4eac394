import { kmsKeys } from '../lib/platform/sealing/kms-keys.ts';
import { keyFile } from '../lib/platform/sealing/local-keys.ts';
import { createSealing, type DataKeys, type Sealing } from '../lib/platform/sealing/sealing.ts';
import { oncePerRuntime, type Runtime } from './runtime.ts';

/** This process's way to seal and open secrets that have to be shown again. It reads no key before the first use. */
export const secrets = oncePerRuntime((runtime): Sealing => createSealing(runtime.sealingKeys ?? keysOf(runtime)));

function keysOf({ config, clock }: Runtime): DataKeys {
  const { BROKKR_KMS_KEY_ID: keyId, BROKKR_SEALING_KEY_FILE: path } = config;
  if (path !== undefined) return keyFile(path);
  if (keyId !== undefined) return kmsKeys({ keyId, clock, region: config.AWS_REGION, endpoint: config.KMS_ENDPOINT });
  const missing = async () => {
    throw new Error('no key for secrets is configured: set BROKKR_KMS_KEY_ID or BROKKR_SEALING_KEY_FILE');
  };
  return { current: missing, find: missing };
}
