"""Tiles for the raise screen, so that a plant without demo data can raise on its first day."""

from django.db import migrations

# code, English, Spanish, icon; in the order of the tiles
CATEGORIES = (
    ("label_print", "Printer or labels", "Impresora o etiquetas", "i-printer"),
    ("scanner", "Scanner or truck terminal", "Escáner o terminal de montacargas", "i-scan"),
    ("mes_app", "Line control program", "Programa de control de línea", "i-list-checks"),
    ("interface", "Data between systems", "Datos entre sistemas", "i-link"),
    ("plc_opc", "Machine gets no data", "La máquina no recibe datos", "i-cpu"),
    ("hmi_pc", "Screen frozen or blank", "Pantalla congelada o en blanco", "i-monitor"),
    ("wifi", "Wi-Fi", "Wi-Fi", "i-wifi"),
    ("network", "Wired network", "Red por cable", "i-network"),
    ("edi_asn", "Ship notice or build order", "Aviso de embarque u orden", "i-truck"),
    ("server_db", "Server or database", "Servidor o base de datos", "i-server"),
    ("login", "Can’t log in", "No puedo entrar", "i-key"),
    ("device", "Torque, scale, camera or laser", "Torque, báscula, cámara o láser", "i-gauge"),
    ("power", "Power or cooling", "Energía o enfriamiento", "i-plug"),
    ("other", "Something else", "Otra cosa", "i-dots"),
)


def write(apps, schema_editor):
    Category = apps.get_model("incidents", "Category")
    for position, (code, name, name_es, icon) in enumerate(CATEGORIES, start=1):
        Category.objects.get_or_create(
            code=code, defaults={"name": name, "name_es": name_es, "icon": icon, "position": position * 10}
        )


def remove(apps, schema_editor):
    """Take away those that nobody raised anything with."""
    used = apps.get_model("incidents", "Incident").objects.values("category")
    codes = [code for code, *_rest in CATEGORIES]
    apps.get_model("incidents", "Category").objects.filter(code__in=codes).exclude(pk__in=used).delete()


class Migration(migrations.Migration):
    dependencies = [("incidents", "0003_severity_rules")]

    operations = [migrations.RunPython(write, remove)]
