/** Models, people, API tokens and redaction. */
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { Card, Screen } from '../../ui/screen';
import { useSession } from '../session/queries';
import { ModelsLink } from './models-link';
import { People } from './people';
import { Redaction } from './redaction';
import { Tokens } from './tokens';

const s = strings.settings;

export function SettingsScreen() {
  const { user } = useSession();
  return (
    <Screen title={s.title}>
      <Card className="flex flex-wrap items-center gap-x-4 gap-y-1 p-5">
        <h2 className="font-semibold">{user.name}</h2>
        <span className="text-soft">{user.email}</span>
        <Badge tone="accent">{strings.role[user.role]}</Badge>
      </Card>
      {user.role === 'admin' ? (
        <>
          <ModelsLink />
          <People />
          <Tokens />
          <Redaction />
        </>
      ) : (
        <p className="text-soft">{s.adminOnly}</p>
      )}
    </Screen>
  );
}
