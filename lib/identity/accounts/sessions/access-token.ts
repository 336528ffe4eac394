import { errors, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';
import type { Clock } from '../../../platform/clock.ts';
import { dashboardError } from '../dashboard-errors.ts';

export const ACCESS_TOKEN_SECONDS = 3_600;
const ALGORITHM = 'HS256';
const ISSUER = 'brokle';
const AUDIENCE = 'dashboard';
/** Clocks of two servers may differ by this much. */
const SKEW_SECONDS = 30;
const LONGEST_TOKEN = 4_096;

const Claims = z.object({
  sub: z.string(),
  email: z.string(),
  organization_id: z.string(),
  token_type: z.literal('access'),
  jti: z.string(),
  sid: z.string(),
  iat: z.number(),
});
export type AccessClaims = z.infer<typeof Claims>;

export interface AccessTokens {
  /** The same claims give the same token. */
  sign(claims: Omit<AccessClaims, 'token_type'>): Promise<string>;
  /** Throws TOKEN_EXPIRED or TOKEN_INVALID. Whether the session still lives is not known here. */
  verify(token: string): Promise<AccessClaims>;
}

/** Access tokens are JWTs of one algorithm, signed with the given secret. Nothing in a token's header is believed. */
export function createAccessTokens(secret: Uint8Array, clock: Clock): AccessTokens {
  return {
    sign: ({ iat, ...claims }) =>
      new SignJWT({ ...claims, user_id: claims.sub, token_type: 'access' })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(iat)
        .setNotBefore(iat)
        .setExpirationTime(iat + ACCESS_TOKEN_SECONDS)
        .sign(secret),
    async verify(token) {
      if (token.length > LONGEST_TOKEN) throw dashboardError('TOKEN_INVALID');
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: AUDIENCE,
          typ: 'JWT',
          requiredClaims: ['exp', 'nbf', 'iat'],
          clockTolerance: SKEW_SECONDS,
          currentDate: new Date(clock.nowMs()),
        });
        return Claims.parse(payload);
      } catch (cause) {
        throw dashboardError(cause instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID', { cause });
      }
    },
  };
}
