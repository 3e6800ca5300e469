/** Which systems Gaby can reach, whether they answer, and how far she may go in each. */
import { useQuery } from '@tanstack/react-query';
import { strings } from '../../strings';
import { Screen } from '../../ui/screen';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { ConnectorCard } from './connector-card';
import { connectorsQuery } from './queries';

const s = strings.connectors;

export function ConnectorsScreen() {
  const connectors = useQuery(connectorsQuery);
  return (
    <Screen title={s.title} intro={s.intro}>
      {connectors.isPending ? (
        <Skeleton />
      ) : connectors.error ? (
        <Failure what={s.failed} error={connectors.error} retry={() => void connectors.refetch()} />
      ) : connectors.data.items.length === 0 ? (
        <Empty title={s.empty} hint={s.emptyHint} />
      ) : (
        <ul className="flex flex-col gap-4">
          {connectors.data.items.map((connector) => (
            <li key={connector.name}>
              <ConnectorCard connector={connector} />
            </li>
          ))}
        </ul>
      )}
    </Screen>
  );
}
