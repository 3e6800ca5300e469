/** Who thinks, in a line, and the way to change it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { buttonLook } from '../../ui/button';
import { Card } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import { modelsQuery } from '../models/queries';

const s = strings.modelSettings;

export function ModelsLink() {
  const models = useQuery(modelsQuery);
  return (
    <section aria-labelledby="models" className="flex flex-col gap-3">
      <div className="flex items-center justify-between gap-4">
        <div>
          <h2 id="models" className="text-lg font-semibold">
            {s.title}
          </h2>
          <p className="text-sm text-soft">{s.intro}</p>
        </div>
        <Link to="/settings/models" className={buttonLook()}>
          {s.open}
        </Link>
      </div>
      {models.isPending ? (
        <Skeleton lines={1} />
      ) : models.error ? (
        <Failure what={s.failed} error={models.error} retry={() => void models.refetch()} />
      ) : (
        <Card className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
          <Badge tone={models.data.problem ? 'bad' : models.data.configured ? 'ok' : 'neutral'}>{s.setBy[models.data.set_by]}</Badge>
          <span className="min-w-0 text-sm [overflow-wrap:anywhere] text-soft">
            {models.data.problem ?? (models.data.providers.map(({ kind, model }) => `${s.kinds[kind] ?? kind} ${model}`).join(', ') || s.empty)}
          </span>
        </Card>
      )}
    </section>
  );
}
