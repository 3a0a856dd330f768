/** The shapes of the API, as docs/openapi.yaml has them, and what the pages keep themselves. */

export interface Plan {
  id: string;
  name: string;
  /** In the currency's smallest unit: cents, yen. */
  price: number;
  priceDisplay: string;
  interval?: 'month' | 'year';
  features: string[];
  popular?: boolean;
}

export interface CheckoutSessionRequest {
  planId: string;
}

export interface CheckoutSessionResponse {
  sessionId: string;
  checkoutUrl: string;
}

export interface PortalSessionResponse {
  portalUrl: string;
}

export type TenantState = 'none' | 'pending' | 'ready' | 'suspended' | 'deleting' | 'failed';

export interface Tenant {
  namespace: string | null;
  state: TenantState;
  message: string | null;
  updatedAt: string | null;
}

export interface SubscriptionStatus {
  active: boolean;
  planId: string | null;
  status: 'active' | 'provisioning' | 'canceled' | 'past_due' | 'none';
  currentPeriodEnd: string | null;
  cancelAtPeriodEnd: boolean;
  paymentProblem: { actBy: string | null } | null;
  dataKeptUntil: string | null;
  /** What runs beyond the plan: a name of the quota, by how much, and when it is made to fit. */
  over?: { name: string; by: string; actBy: string }[];
  tenant: Tenant;
}

export interface ApiError {
  error: { code: string; message: string; requestId: string };
}

export interface LoginResponse {
  token: string;
  refreshToken: string;
  /** Seconds. */
  expiresIn: number;
}

export type RefreshResponse = Omit<LoginResponse, 'refreshToken'>;

/** What every tab shares, in localStorage. */
export interface Session {
  token: string;
  refreshToken: string;
  /** Milliseconds since 1970, by this browser's clock. */
  expiresAt: number;
}

/** One thing that is wrong with a form; without a field it is about the whole of it. */
export interface Problem {
  field?: string;
  text: string;
}

export interface DateRow {
  label: string;
  date: string;
}

/** One of the things that happen on the way to a workspace. */
export interface Stage {
  text: string;
  state: 'done' | 'now' | 'next';
}

/** A status in words: what the dashboard shows. */
export interface View {
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'idle';
  headline: string;
  detail: string;
  /** Something is under way: show progress, look again soon. */
  underWay: boolean;
  stages: Stage[];
  date: DateRow | null;
  billing: boolean;
  stoppable: boolean;
  /** The text of the link to the plans, if one helps. */
  plansLink: string;
}
