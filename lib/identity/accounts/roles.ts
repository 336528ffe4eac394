export const ROLES = ['owner', 'admin', 'developer', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const everyone = ROLES;
const builders = ['owner', 'admin', 'developer'] as const;
const managers = ['owner', 'admin'] as const;
const owners = ['owner'] as const;

/** Who may do what in an organization. A new permission is one line here. */
export const PERMISSIONS = {
  'organizations:read': everyone,
  'organizations:write': managers,
  'organizations:delete': owners,
  'organizations:admin': owners,
  'projects:read': everyone,
  'projects:write': builders,
  'projects:delete': owners,
  'api-keys:read': everyone,
  'api-keys:write': builders,
  /** A developer may delete the keys that he made; the verb checks that. */
  'api-keys:delete': builders,
  'analytics:read': everyone,
  'members:read': managers,
  'members:invite': managers,
  'members:remove': owners,
  'roles:read': managers,
  'roles:write': managers,
  'roles:delete': owners,
  'permissions:read': managers,
  'settings:read': managers,
  'settings:write': managers,
  'settings:export': owners,
  'settings:import': owners,
  'settings:admin': owners,
  'billing:read': managers,
  'providers:read': everyone,
  'providers:write': managers,
  'webhooks:write': managers,
  'config:write': managers,
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

export const roleMay = (role: Role, permission: Permission): boolean => (PERMISSIONS[permission] as readonly Role[]).includes(role);
