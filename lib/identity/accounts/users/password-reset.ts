import { hash } from 'node:crypto';
import * as z from 'zod';
import type { Item } from '../../../platform/database/database.ts';
import { randomSecret } from '../../../platform/ids.ts';
import { identityTable } from '../../identity-table.ts';
import type { AccountPorts, Visitor } from '../account-ports.ts';
import { resetKey } from '../accounts-table.ts';
import { dashboardError } from '../dashboard-errors.ts';
import { countTry } from '../sessions/tries.ts';
import { hashPassword } from './password.ts';
import { changeUserWrite, findUser, findUserByEmail } from './user.ts';

const table = identityTable.name;
const TOKEN = /^[0-9a-f]{64}$/;
const VALID_MS = 3_600_000;
/** Every answer takes this long, so that its time doesn't tell whether the address has an account. */
const ANSWER_MS = 500;

const Reset = z.object({ user_id: z.string(), sessions_version: z.int(), until_ms: z.number() });

/** Mails a token that sets a new password, if the address has an account. The answer is the same for every address. */
export async function requestPasswordReset(ports: AccountPorts, visitor: Visitor, email: string): Promise<void> {
  await countTry(ports, 'reset', { email, ip: visitor.ip });
  await Promise.all([
    ports.clock.sleep(ANSWER_MS),
    mailToken(ports, visitor, email).catch((error) => ports.log.error('reset_mail_failed', { error })),
  ]);
}

async function mailToken(ports: AccountPorts, visitor: Visitor, email: string): Promise<void> {
  const user = await findUserByEmail(ports.database, email);
  if (user?.status !== 'active') return;
  const token = Buffer.from(randomSecret(32)).toString('hex');
  const until_ms = ports.clock.nowMs() + VALID_MS;
  const item: Item = {
    ...resetKey(hash('sha256', token)),
    type: 'password-reset',
    user_id: user.id,
    sessions_version: user.sessions_version,
    until_ms,
    expires_at: Math.ceil(until_ms / 1000),
  };
  await ports.commit({
    writes: [{ table, put: item, if: { exists: false } }],
    audit: {
      actor: { principal: { type: 'system' }, ...visitor },
      action: 'password.reset_requested',
      resourceType: 'user',
      resourceId: user.id,
    },
  });
  const link = ports.publicUrl === undefined ? [] : ['', `${ports.publicUrl.replace(/\/$/, '')}/reset-password#token=${token}`];
  await ports.mail.send({
    to: user.email,
    subject: 'Set a new password',
    text: [
      `Hello ${user.name},`,
      '',
      'somebody has asked for a new password for your account. If it was not you, ignore this mail: nothing has changed.',
      'The token for a new password is valid for one hour, and only once:',
      '',
      token,
      ...link,
    ].join('\n'),
  });
}

/** Sets a new password and ends all sessions. The token works once, and none that was mailed before the last new password works. */
export async function resetPassword(ports: AccountPorts, visitor: Visitor, token: string, password: string): Promise<void> {
  const invalid = () => dashboardError('RESET_TOKEN_INVALID');
  if (!TOKEN.test(token)) throw invalid();
  const key = resetKey(hash('sha256', token));
  const item = await ports.database.get(table, key);
  const reset = item && Reset.parse(item);
  if (!reset || reset.until_ms <= ports.clock.nowMs()) throw invalid();
  const hashed = await hashPassword(password);
  const user = await findUser(ports.database, reset.user_id);
  if (!user || user.sessions_version !== reset.sessions_version) throw invalid();
  const now = new Date(ports.clock.nowMs()).toISOString();
  await ports.commit({
    writes: [
      { table, delete: key, if: { exists: true }, orElse: invalid },
      {
        ...changeUserWrite(user, { password: hashed, sessions_version: user.sessions_version + 1, updated_at: now }),
        orElse: () => dashboardError('VERSION_CONFLICT'),
      },
    ],
    audit: {
      actor: { principal: { type: 'user', user_id: user.id, email: user.email }, ...visitor },
      action: 'password.reset',
      resourceType: 'user',
      resourceId: user.id,
    },
  });
}
