"""Django: its save() writes whole rows back, so a model has to hold plaintext, not the envelope."""

import os

import django
from django.conf import settings
from django.db import DatabaseError, connection, models, transaction

from expect import WRONG, expect, expect_envelope, expect_many, many_users

USER = "user of django"
TOKEN = "example-access-token-django"

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "NAME": os.environ["PGDATABASE"],
            "USER": "app_role",
            # False is the default: the driver pastes parameters into the statement.
            "OPTIONS": {"server_side_binding": os.environ.get("BINDING") == "server"},
        }
    }
)
django.setup()


# readme: Django
class SecretField(models.TextField):
    def db_type(self, connection):
        return "vault.secret"

    def select_format(self, compiler, sql, params):
        return f"vault.reveal({sql})", params
# end


class Webhook(models.Model):
    id = models.TextField(primary_key=True)
    signing_key = SecretField()
    active = models.BooleanField(default=True)

    class Meta:
        app_label, db_table = "app", "webhook"


class PlainWebhook(models.Model):
    """The same table with a field that Django takes for text."""

    id = models.TextField(primary_key=True)
    signing_key = models.TextField()
    active = models.BooleanField(default=True)

    class Meta:
        app_label, db_table = "app", "webhook"


def query(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()


def sqlstate_of(action):
    try:
        with transaction.atomic():
            action()
    except DatabaseError as error:
        return error.__cause__.sqlstate
    return None


def tokens():
    query("SELECT vault.store_token('google', %s, access_token => %s, expires_in => %s)", USER, TOKEN, 3600)
    expect("get_token", query("SELECT vault.get_token('google', %s)", USER), (TOKEN,))
    expect("get_token of nobody", query("SELECT vault.get_token('google', %s)", "nobody"), (None,))


def batch():
    with connection.cursor() as cursor:
        get = "SELECT subject, access_token, error_code FROM vault.get_tokens('google', %s)"
        expect_many("get_tokens", cursor.execute(get, [many_users(USER)]), USER, TOKEN)


def saved_whole():
    Webhook(id="django", signing_key="whsec_1").save()
    webhook = Webhook.objects.get(id="django")
    expect("a field", webhook.signing_key, "whsec_1")
    webhook.save()
    webhook.refresh_from_db()
    expect("a field after the whole row was saved", webhook.signing_key, "whsec_1")
    stored = query("SELECT signing_key::text FROM webhook WHERE id = 'django'")[0]
    expect_envelope("the column itself", stored)


def left_alone():
    before = query("SELECT signing_key::text FROM webhook WHERE id = 'django'")
    webhook = Webhook.objects.defer("signing_key").get(id="django")
    webhook.save()
    expect("a deferred field", query("SELECT signing_key::text FROM webhook WHERE id = 'django'"), before)


def many():
    Webhook.objects.filter(id__startswith="django ").delete()
    rows = [Webhook(id=f"django {number}", signing_key=f"whsec_{number}") for number in range(100)]
    Webhook.objects.bulk_create(rows)
    for row in rows:
        row.signing_key += "_new"
    Webhook.objects.bulk_update(rows, ["signing_key"])
    found = Webhook.objects.filter(id__startswith="django ").values_list("signing_key", flat=True)
    expect("bulk_create and bulk_update", set(found), {row.signing_key for row in rows})
    Webhook.objects.update_or_create(id="django 1", defaults={"signing_key": "whsec_other"})
    expect("update_or_create", Webhook.objects.get(id="django 1").signing_key, "whsec_other")


def queries():
    """An encrypted column has no equality and no order; queries that need none of it work."""
    webhooks = Webhook.objects.filter(id__startswith="django ")
    expect("a count with groups", webhooks.annotate(number=models.Count("active")).first().number, 1)
    with transaction.atomic():
        locked = webhooks.select_for_update().get(id="django 2")
    expect("a locked row", locked.signing_key, "whsec_2_new")
    expect("a filter by the column", sqlstate_of(lambda: webhooks.filter(signing_key="whsec").first()), "42883")
    expect("an order by the column", sqlstate_of(lambda: webhooks.order_by("signing_key").first()), "42883")


def as_text():
    """What happens without the field: the envelope is read, and refused when it is written back."""
    webhook = PlainWebhook.objects.get(id="django")
    expect_envelope("a TextField", webhook.signing_key)
    expect("its whole row saved", sqlstate_of(webhook.save), "TV011")
    webhook.save(update_fields=["active"])
    webhook.signing_key = "whsec_2"
    webhook.save()
    expect("a new value in it", Webhook.objects.get(id="django").signing_key, "whsec_2")


def migration():
    with connection.schema_editor(collect_sql=True) as editor:
        editor.create_model(Webhook)
    if '"signing_key" vault.secret NOT NULL' not in editor.collected_sql[0]:
        raise SystemExit(f"FAILED: a migration: {editor.collected_sql}")


def errors():
    for wanted, statement in WRONG.items():
        expect(statement, sqlstate_of(lambda: query(statement)), wanted)


tokens()
batch()
saved_whole()
left_alone()
many()
queries()
as_text()
migration()
errors()
connection.close()
