import type { ConnectorState } from '../../api/types';
import type { Tone } from '../../ui/badge';

export const connectorTone: Record<ConnectorState, Tone> = { connecting: 'info', up: 'ok', down: 'bad', suspended: 'warn' };
