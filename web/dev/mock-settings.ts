/** The mock server's models and policies. */
import type { LlmSettings, PolicyChecked, PolicyFile, PolicyList } from '../src/api/types';
import type { Handler } from './mock-api.ts';

const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});

const kinds: LlmSettings['kinds'] = [
  { kind: 'anthropic', needs_key: true, needs: null, takes: ['base_url'], usual_address: 'https://api.anthropic.com' },
  { kind: 'bedrock', needs_key: true, needs: 'region', takes: ['access_key_id', 'session_token', 'base_url'], usual_address: null },
  { kind: 'openai-compatible', needs_key: false, needs: 'base_url', takes: ['native_tools'], usual_address: null },
  { kind: 'ollama', needs_key: false, needs: null, takes: ['base_url', 'context_tokens', 'native_tools'], usual_address: 'http://localhost:11434' },
];

const none: LlmSettings = {
  configured: false,
  set_by: 'nobody',
  problem: null,
  providers: [],
  local_only: false,
  purposes: [],
  tokens_per_day: null,
  micro_usd_per_day: null,
  own: { is_set: false, providers: [], local_only: false, allowed: null, purposes: {}, tokens_per_day: null, micro_usd_per_day: null },
  operator: { providers: [], local_only: false, allowed: null, tokens_per_day: 2_000_000, micro_usd_per_day: null, you_may_set_private: true },
  kinds,
  prompts: [],
};

const builtIn: PolicyFile = {
  name: 'default',
  origin: 'built_in',
  text: 'permit(principal, action in Action::"read", resource);',
  rules: [{ name: 'read', effect: 'permit', words: 'Lets through all reads.', why: 'Reads change nothing.', text: '', parsed: {}, unused: false }],
};

const tools: PolicyList['tools'] = [
  {
    name: 'k8s__restart_pod',
    connector: 'k8s',
    description: 'Restarts a pod',
    access: 'write',
    role: 'pod.restart',
    arguments: [
      { name: 'namespace', kind: 'string', required: true, values: [] },
      { name: 'count', kind: 'integer', required: false, values: [] },
    ],
  },
];

/** The handlers, on a state of their own. */
export function settingsRoutes(): Record<string, Handler> {
  let models = structuredClone(none);
  let files: PolicyFile[] = [builtIn];
  const list = (): PolicyList => ({ items: files, problem: null, tools });
  return {
    'GET settings/llm': () => ({ status: 200, json: models }),
    'PUT settings/llm': ({ body }) => {
      const form = record(body);
      const providers = (form.providers as Record<string, unknown>[]).map((one) => ({
        name: one.name ?? one.kind,
        kind: one.kind,
        model: one.model,
        base_url: one.base_url ?? null,
        has_key: one.api_key !== undefined,
        has_session_token: false,
        region: null,
        project: null,
        access_key_id: null,
        api_version: null,
        context_tokens: null,
        native_tools: one.native_tools ?? true,
      })) as LlmSettings['providers'];
      const own = { ...form, providers, is_set: true } as LlmSettings['own'];
      models = { ...none, configured: true, set_by: 'workspace', providers, own };
      return { status: 200, json: models };
    },
    'DELETE settings/llm': () => {
      models = structuredClone(none);
      return { status: 200, json: models };
    },
    'POST settings/llm/try': ({ body }) => {
      const works = record(body).model !== 'wrong';
      return { status: 200, json: { works, says: works ? 'answers, after 12 ms' : '`ollama` answered 404. Check that the model’s name is one that it serves', millis: 12 } };
    },
    'GET policies': () => ({ status: 200, json: list() }),
    'PUT policies/*': ({ path, body }) => {
      const text = String(record(body).text);
      const name = path[1] ?? '';
      if (!text.includes('resource')) return { status: 400, json: { error: { code: 'invalid_request', message: `\`${name}\` cannot be read as policies: line 1, column 7: unexpected end of input` } } };
      files = [...files.filter((file) => file.name !== name), { name, origin: 'workspace', text, rules: [{ name, effect: 'forbid', words: 'Forbids restart_pod of k8s.', why: '', text, parsed: {}, unused: false }] }];
      return { status: 200, json: list() };
    },
    'DELETE policies/*': ({ path }) => {
      files = files.filter((file) => file.name !== path[1]);
      return { status: 204 };
    },
    'POST policies/check': ({ body }) => {
      const checked: PolicyChecked = {
        decision: record(body).draft ? 'deny' : 'needs_approval',
        reasons: ['the rule `no-restarts` forbids it'],
        risk: record(body).draft ? null : 55,
        parts: [],
        rules: [],
        facts: { action: 'Action::"k8s__restart_pod"' },
        arguments: {},
      };
      return { status: 200, json: checked };
    },
  };
}
